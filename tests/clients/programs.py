"""Programs: how each client is told of the CRM, signs in, and calls a tool."""

import json
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.clients.model import DONE, SEARCH, Model, OneCall, Seen
from tests.clients.terminal import Terminal

NAME = "bottlecrm"
ENTER, DOWN, UP = "\r", "\x1b[B", "\x1b[A"

# Text to wait for, and what is typed then.
Keys = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Called:
    """One run of a client: the tools that it listed, what its call brought, what it printed."""

    tools: set[str]
    result: str
    printed: str

    @property
    def is_answered(self) -> bool:
        # In some clients' records JSON within JSON, however often.
        return self.says("total")

    def says(self, name: str) -> bool:
        """Whether the result has something of this name."""
        return re.search(rf'\\*"{name}\\*":', self.result) is not None


class Program(ABC):
    """A client from npm, installed in `modules`; with a token it needs no sign-in.

    `refusal` is what it shows of a token that is not accepted.
    """

    name: str
    package: str
    refusal: str

    def __init__(self, modules: Path, home: Path, url: str, model: str, token: str = "") -> None:
        self.modules, self.home, self.url, self.model = modules, home, url, model
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    @property
    def header_arguments(self) -> list[str]:
        return [
            each for name in self.headers for each in ("--header", f"{name}:{self.headers[name]}")
        ]

    @property
    def version(self) -> str:
        about = json.loads((self.modules / self.package / "package.json").read_text())
        return str(about["version"])

    def binary(self, name: str) -> Path:
        return self.modules / ".bin" / name

    def environment(self) -> dict[str, str]:
        return {}

    def write(self, path: str, text: str) -> None:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    @abstractmethod
    def configure(self, terminal: Terminal) -> None:
        """Add the address, as people do, and the token if there is one."""

    def let_expire(self) -> bool:
        """Set back when the access token ends in the client's own record, if it goes by that."""
        return False

    def sign_in(self, terminal: Terminal) -> str:
        """Until the client says that it is connected; what it printed."""
        return self.call(terminal).printed

    @abstractmethod
    def call(self, terminal: Terminal, part: OneCall = SEARCH) -> Called:
        """List the tools and call one, in a new process."""

    def call_at_the_screen(self, terminal: Terminal, part: OneCall) -> Called:
        """The same, with a person who agrees in a form, if it shows one."""
        return self.call(terminal, part)

    def status(self, terminal: Terminal) -> str:
        """What it says of its connection."""
        return self.call(terminal).printed


class ForModel(Program):
    """Calls tools only for a model: here for one that plays a part."""

    # What a person types who asks for something and then agrees in the form.
    keys: Keys = ()

    @abstractmethod
    def ask(self) -> list[str | Path]:
        """The command that asks the model something and ends."""

    def screen(self) -> list[str | Path]:
        """The command that shows the client's own screen, where that has forms."""
        return []

    def call(self, terminal: Terminal, part: OneCall = SEARCH) -> Called:
        return self._called(terminal, part, self.ask())

    def call_at_the_screen(self, terminal: Terminal, part: OneCall) -> Called:
        return self._called(terminal, part, self.screen() or self.ask(), self.keys)

    def _called(
        self, terminal: Terminal, part: OneCall, command: list[str | Path], keys: Keys = ()
    ) -> Called:
        Model.seen = Seen(part)
        printed = terminal.run(command, until=DONE if keys else None, keys=keys)
        return Called(Model.seen.tools, "\n".join(Model.seen.results), printed)


class ClaudeCode(ForModel):
    name, package = "Claude Code", "@anthropic-ai/claude-code"
    refusal = "rejected the configured Authorization header (HTTP 401)"
    keys = (
        ("/effort", "Delete"),
        ("Delete", ENTER),
        ("Yes, do this", " "),
        ("☒", DOWN),
        ("", ENTER),
    )

    def environment(self) -> dict[str, str]:
        return {
            "ANTHROPIC_BASE_URL": self.model,
            "ANTHROPIC_API_KEY": "sk-ant-none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            # Else tools are found by a search of the model's.
            "ENABLE_TOOL_SEARCH": "false",
        }

    def configure(self, terminal: Terminal) -> None:
        add = ("mcp", "add", "--scope", "user", "--transport", "http", NAME, self.url)
        terminal.run([self.binary("claude"), *add, *self.header_arguments])

    def sign_in(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("claude"), "mcp", "login", NAME])

    def status(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("claude"), "mcp", "list"])

    def ask(self) -> list[str | Path]:
        allowed = ("--allowedTools", f"mcp__{NAME}")
        return [self.binary("claude"), "-p", "Search the leads.", *allowed]

    def screen(self) -> list[str | Path]:
        file = self.home / ".claude.json"
        # What it asks about when it is started for the first time.
        file.write_text(
            json.dumps(
                {
                    **json.loads(file.read_text()),
                    "hasCompletedOnboarding": True,
                    "customApiKeyResponses": {
                        "approved": [self.environment()["ANTHROPIC_API_KEY"]]
                    },
                    "projects": {str(self.home): {"hasTrustDialogAccepted": True}},
                }
            )
        )
        asking = ("--permission-mode", "default", "--allowedTools", f"mcp__{NAME}")
        return [self.binary("claude"), *asking]


class Codex(ForModel):
    name, package = "Codex CLI", "@openai/codex"
    refusal = "AuthRequired"
    keys = (
        ("gpt-5", "Delete"),
        ("Delete", ENTER),
        ("Allow", ENTER),
        ("True", UP),
        ("", ENTER),
    )

    def configure(self, terminal: Terminal) -> None:
        self.write(
            ".codex/config.toml",
            'model = "gpt-5"\nmodel_provider = "part"\napproval_policy = "never"\n'
            f'[model_providers.part]\nname = "part"\nbase_url = "{self.model}/v1"\n'
            'wire_api = "responses"\nenv_key = "PART_KEY"\n'
            f'[mcp_servers.{NAME}]\nurl = "{self.url}"\n'
            + "".join(
                f'http_headers = {{ "{name}" = "{self.headers[name]}" }}\n' for name in self.headers
            )
            + f'[projects."{self.home}"]\ntrust_level = "trusted"\n',
        )

    def environment(self) -> dict[str, str]:
        return {"PART_KEY": "none"}

    def sign_in(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("codex"), "mcp", "login", NAME])

    def ask(self) -> list[str | Path]:
        return [self.binary("codex"), "exec", "--skip-git-repo-check", "Search the leads."]

    def screen(self) -> list[str | Path]:
        # It has a question of its own before a tool that deletes.
        return [self.binary("codex"), "--no-daemon", "--ask-for-approval", "on-request"]


class GeminiCli(ForModel):
    name, package = "Gemini CLI", "@google/gemini-cli"
    refusal = "Disconnected"

    def environment(self) -> dict[str, str]:
        return {"GOOGLE_GEMINI_BASE_URL": self.model, "GEMINI_API_KEY": "none"}

    def configure(self, terminal: Terminal) -> None:
        settings = {
            "security": {
                "auth": {"selectedType": "gemini-api-key"},
                "folderTrust": {"enabled": False},
            },
            "general": {"disableAutoUpdate": True},
            "privacy": {"usageStatisticsEnabled": False},
            "mcpServers": {NAME: {"httpUrl": self.url, "trust": True, "headers": self.headers}},
        }
        self.write(".gemini/settings.json", json.dumps(settings))

    def sign_in(self, terminal: Terminal) -> str:
        return terminal.run(
            [self.binary("gemini")],
            until="Successfully",
            keys=[
                ("Type your message", f"/mcp auth {NAME}"),
                (f"/mcp auth {NAME}", "\r"),
                ("Do you want to continue?", "\r"),
            ],
        )

    def ask(self) -> list[str | Path]:
        # A model by name, else it asks another one for the model to ask.
        model = ("--model", "gemini-2.5-flash")
        return [self.binary("gemini"), *model, "--yolo", "-p", "Search the leads."]

    def status(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("gemini"), "mcp", "list"])

    def let_expire(self) -> bool:
        file = self.home / ".gemini/mcp-oauth-tokens.json"
        file.write_text(re.sub(r'("expiresAt": ?)\d+', r"\g<1>1", file.read_text()))
        return True


class OpenCode(ForModel):
    name, package = "opencode", "opencode-ai"
    refusal = "Non-200 status code (405)"

    def configure(self, terminal: Terminal) -> None:
        server: dict[str, object] = {"type": "remote", "url": self.url}
        if self.headers:
            server |= {"headers": self.headers, "oauth": False}
        settings = {
            "autoupdate": False,
            "model": "anthropic/claude-sonnet-4-5",
            "provider": {
                "anthropic": {"options": {"baseURL": f"{self.model}/v1", "apiKey": "none"}}
            },
            "mcp": {NAME: server},
        }
        self.write(".config/opencode/opencode.json", json.dumps(settings))

    def sign_in(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("opencode"), "mcp", "auth", NAME])

    def status(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("opencode"), "mcp", "list"])

    def ask(self) -> list[str | Path]:
        return [self.binary("opencode"), "run", "Search the leads."]


class McpRemote(Program):
    name, package = "mcp-remote", "mcp-remote"
    refusal = "Please authorize this client"

    def configure(self, terminal: Terminal) -> None:
        """It takes the address as an argument."""

    def call(self, terminal: Terminal, part: OneCall = SEARCH) -> Called:
        client = (sys.executable, "-m", "tests.clients.stdio_client")
        remote = (self.binary("mcp-remote"), self.url, "--allow-http")
        given = (part.tool, json.dumps(part.arguments))
        printed = terminal.run([*client, *given, *remote, *self.header_arguments])
        said = next((each for each in printed.splitlines() if each.startswith('{"tools"')), "{}")
        seen = json.loads(said)
        return Called(set(seen.get("tools", ())), seen.get("result", ""), printed)


class Inspector(Program):
    name, package = "MCP Inspector", "@modelcontextprotocol/inspector"
    refusal = "Please navigate to:"

    def environment(self) -> dict[str, str]:
        # Without a keyring it would keep tokens until its end only.
        return {"MCP_INSPECTOR_SECRET_STORE": "file"}

    def configure(self, terminal: Terminal) -> None:
        """It takes the address as an argument."""

    def call(self, terminal: Terminal, part: OneCall = SEARCH) -> Called:
        inspector: list[str | Path] = [
            self.binary("mcp-inspector"),
            "--cli",
            self.url,
            "--format",
            "json",
            *self.header_arguments,
        ]
        listed = terminal.run([*inspector, "--method", "tools/list"])
        arguments = ("--tool-name", part.tool, "--tool-args-json", json.dumps(part.arguments))
        called = terminal.run([*inspector, "--method", "tools/call", *arguments])
        tools = set(re.findall(r'"name": ?"((?:crm_\w+)|list_actions)"', listed))
        return Called(tools, called, listed + called)


PROGRAMS = (ClaudeCode, Codex, GeminiCli, OpenCode, McpRemote, Inspector)
