"""Programs: how each client is told of the CRM, signs in, and calls a tool."""

import json
import re
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from tests.clients.model import ARGUMENTS, TOOL, Model, Seen
from tests.clients.terminal import Terminal

NAME = "bottlecrm"


@dataclass(frozen=True)
class Called:
    """One run of a client: the tools that it listed, what its call brought, what it printed."""

    tools: set[str]
    result: str
    printed: str

    @property
    def is_answered(self) -> bool:
        # In some clients' records JSON within JSON, however often.
        return re.search(r'\\*"total\\*":', self.result) is not None


class Program(ABC):
    """A client from npm, installed in `modules`."""

    name: str
    package: str

    def __init__(self, modules: Path, home: Path, url: str, model: str) -> None:
        self.modules, self.home, self.url, self.model = modules, home, url, model

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
        """Add the address, and nothing else, as people do."""

    def let_expire(self) -> bool:
        """Set back when the access token ends in the client's own record, if it goes by that."""
        return False

    def sign_in(self, terminal: Terminal) -> str:
        """Until the client says that it is connected; what it printed."""
        return self.call(terminal).printed

    @abstractmethod
    def call(self, terminal: Terminal) -> Called:
        """List the tools and call one, in a new process."""


class ForModel(Program):
    """Calls tools only for a model: here for one that plays a part."""

    @abstractmethod
    def ask(self) -> list[str | Path]:
        """The command that asks the model something and ends."""

    def call(self, terminal: Terminal) -> Called:
        Model.seen = Seen()
        printed = terminal.run(self.ask())
        return Called(Model.seen.tools, "\n".join(Model.seen.results), printed)


class ClaudeCode(ForModel):
    name, package = "Claude Code", "@anthropic-ai/claude-code"

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
        terminal.run([self.binary("claude"), *add])

    def sign_in(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("claude"), "mcp", "login", NAME])

    def ask(self) -> list[str | Path]:
        allowed = ("--allowedTools", f"mcp__{NAME}")
        return [self.binary("claude"), "-p", "Search the leads.", *allowed]


class Codex(ForModel):
    name, package = "Codex CLI", "@openai/codex"

    def configure(self, terminal: Terminal) -> None:
        self.write(
            ".codex/config.toml",
            'model = "gpt-5"\nmodel_provider = "part"\napproval_policy = "never"\n'
            f'[model_providers.part]\nname = "part"\nbase_url = "{self.model}/v1"\n'
            'wire_api = "responses"\nenv_key = "PART_KEY"\n'
            f'[mcp_servers.{NAME}]\nurl = "{self.url}"\n',
        )

    def environment(self) -> dict[str, str]:
        return {"PART_KEY": "none"}

    def sign_in(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("codex"), "mcp", "login", NAME])

    def ask(self) -> list[str | Path]:
        return [self.binary("codex"), "exec", "--skip-git-repo-check", "Search the leads."]


class GeminiCli(ForModel):
    name, package = "Gemini CLI", "@google/gemini-cli"

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
            "mcpServers": {NAME: {"httpUrl": self.url, "trust": True}},
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

    def let_expire(self) -> bool:
        file = self.home / ".gemini/mcp-oauth-tokens.json"
        file.write_text(re.sub(r'("expiresAt": ?)\d+', r"\g<1>1", file.read_text()))
        return True


class OpenCode(ForModel):
    name, package = "opencode", "opencode-ai"

    def configure(self, terminal: Terminal) -> None:
        settings = {
            "autoupdate": False,
            "model": "anthropic/claude-sonnet-4-5",
            "provider": {
                "anthropic": {"options": {"baseURL": f"{self.model}/v1", "apiKey": "none"}}
            },
            "mcp": {NAME: {"type": "remote", "url": self.url}},
        }
        self.write(".config/opencode/opencode.json", json.dumps(settings))

    def sign_in(self, terminal: Terminal) -> str:
        return terminal.run([self.binary("opencode"), "mcp", "auth", NAME])

    def ask(self) -> list[str | Path]:
        return [self.binary("opencode"), "run", "Search the leads."]


class McpRemote(Program):
    name, package = "mcp-remote", "mcp-remote"

    def configure(self, terminal: Terminal) -> None:
        """It takes the address as an argument."""

    def call(self, terminal: Terminal) -> Called:
        command = [sys.executable, "-m", "tests.clients.stdio_client"]
        printed = terminal.run([*command, self.binary("mcp-remote"), self.url, "--allow-http"])
        said = next((each for each in printed.splitlines() if each.startswith('{"tools"')), "{}")
        seen = json.loads(said)
        return Called(set(seen.get("tools", ())), seen.get("result", ""), printed)


class Inspector(Program):
    name, package = "MCP Inspector", "@modelcontextprotocol/inspector"

    def environment(self) -> dict[str, str]:
        # Without a keyring it would keep tokens until its end only.
        return {"MCP_INSPECTOR_SECRET_STORE": "file"}

    def configure(self, terminal: Terminal) -> None:
        """It takes the address as an argument."""

    def call(self, terminal: Terminal) -> Called:
        inspector: list[str | Path] = [
            self.binary("mcp-inspector"),
            "--cli",
            self.url,
            "--format",
            "json",
        ]
        listed = terminal.run([*inspector, "--method", "tools/list"])
        arguments = ("--tool-name", TOOL, "--tool-args-json", json.dumps(ARGUMENTS))
        called = terminal.run([*inspector, "--method", "tools/call", *arguments])
        tools = set(re.findall(r'"name": ?"((?:crm_\w+)|list_actions)"', listed))
        return Called(tools, called, listed + called)


PROGRAMS = (ClaudeCode, Codex, GeminiCli, OpenCode, McpRemote, Inspector)
