"""Client configurations for MCP, as the clients' documentation has them (read in November 2026).

An install link never carries the token: a link ends up in histories and logs. It makes the client
ask for the token, or read it from the environment.
"""

import base64
import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import quote

from pat_tokens.conf import token_settings

PLACEHOLDER = "bcrm_pat_YOUR_TOKEN"
TOKEN_VARIABLE = "BCRM_TOKEN"
PROGRAM = "bcrm-mcp"

Way = Literal["hosted", "local"]


@dataclass(frozen=True)
class Configuration:
    """What to put where, for one client and one way to connect."""

    client: str
    name: str
    way: Way
    where: str
    language: Literal["json", "toml", "shell"]
    text: str
    documentation: str
    install_url: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Server:
    """What all the configurations say, each in its client's words."""

    mcp_url: str
    base_url: str
    token: str
    name: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def command(self) -> dict[str, Any]:
        env = {"BCRM_BASE_URL": self.base_url, TOKEN_VARIABLE: self.token}
        command, *args = local_command()
        return {"command": command, "args": args, "env": env}


def local_command() -> list[str]:
    """What starts the local server, where it is offered."""
    return ["uvx", "--from", token_settings.local_package, PROGRAM]


def configurations(mcp_url: str, token: str = PLACEHOLDER) -> list[Configuration]:
    """For every client, hosted, and local where `PAT_TOKENS_LOCAL_PACKAGE` says how.

    With the placeholder where no token is to be shown.
    """
    base_url = mcp_url.removesuffix("/mcp")
    server = Server(mcp_url, base_url, token, token_settings.server_name)
    ways = ("hosted", "local") if token_settings.local_package else ("hosted",)
    return [each for client in CLIENTS for each in client(server) if each.way in ways]


def _claude_desktop(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "claude-desktop",
        "name": "Claude Desktop",
        "where": "claude_desktop_config.json (Settings → Developer → Edit Config)",
        "language": "json",
        "documentation": "https://modelcontextprotocol.io/docs/develop/connect-local-servers",
    }
    # Its file knows commands only; without a space in the argument it also works on Windows.
    bridge = {
        "command": "npx",
        "args": ["-y", "mcp-remote", server.mcp_url, "--header", "Authorization:${BCRM_BEARER}"],
        "env": {"BCRM_BEARER": f"Bearer {server.token}"},
    }
    yield _configuration(
        about,
        "hosted",
        _json("mcpServers", server, bridge),
        note="The file starts local programs only, so mcp-remote (it needs Node.js) connects to "
        "the hosted endpoint. Without Node.js: add a custom connector with this address, where "
        "your account offers request headers for it.",
    )
    yield _configuration(about, "local", _json("mcpServers", server, server.command))


def _claude_code(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "claude-code",
        "name": "Claude Code",
        "where": "in a terminal",
        "language": "shell",
        "documentation": "https://code.claude.com/docs/en/mcp",
    }
    header = f"Authorization: Bearer {server.token}"
    add = ["claude", "mcp", "add", "--transport"]
    hosted = [*add, "http", "--scope", "user", server.name, server.mcp_url, "--header", header]
    env = [f"{name}={value}" for name, value in server.command["env"].items()]
    # The name first: --env takes every word that follows for another variable.
    local = [*add, "stdio", "--scope", "user", server.name]
    local += [part for each in env for part in ("--env", each)]
    local += ["--", server.command["command"], *server.command["args"]]
    yield _configuration(about, "hosted", _shell(hosted))
    yield _configuration(about, "local", _shell(local))


def _cursor(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "cursor",
        "name": "Cursor",
        "where": "~/.cursor/mcp.json, or .cursor/mcp.json in a project",
        "language": "json",
        "documentation": "https://cursor.com/docs/context/mcp",
    }
    note = f"The link installs without the token: Cursor reads it from {TOKEN_VARIABLE}."
    asking = _without_token(server, f"${{env:{TOKEN_VARIABLE}}}")
    hosted = {"url": server.mcp_url, "headers": server.headers}
    yield _configuration(
        about,
        "hosted",
        _json("mcpServers", server, hosted),
        install_url=_cursor_link(server, {"url": server.mcp_url, "headers": asking.headers}),
        note=note,
    )
    yield _configuration(
        about,
        "local",
        _json("mcpServers", server, server.command),
        install_url=_cursor_link(server, asking.command),
        note=note,
    )


def _vs_code(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "vs-code",
        "name": "VS Code",
        "where": ".vscode/mcp.json, or MCP: Open User Configuration",
        "language": "json",
        "documentation": "https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
    }
    note = "The link installs without the token: VS Code asks for it and keeps it."
    asking = _without_token(server, "${input:bcrm_token}")
    for way, filled, empty in (
        ("hosted", _vs_code_hosted(server), _vs_code_hosted(asking)),
        ("local", {"type": "stdio", **server.command}, {"type": "stdio", **asking.command}),
    ):
        yield _configuration(
            about,
            way,
            _json("servers", server, filled),
            install_url=_vs_code_link(server, empty),
            note=note,
        )


def _codex(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "codex",
        "name": "Codex CLI",
        "where": "~/.codex/config.toml",
        "language": "toml",
        "documentation": "https://developers.openai.com/codex/mcp",
    }
    table = f"[mcp_servers.{server.name}]"
    bearer = _quoted(f"Bearer {server.token}")
    hosted = [table, f"url = {_quoted(server.mcp_url)}"]
    hosted += [f'http_headers = {{ "Authorization" = {bearer} }}']
    args = ", ".join(_quoted(each) for each in server.command["args"])
    local = [table, 'command = "uvx"', f"args = [{args}]", ""]
    local += [f"[mcp_servers.{server.name}.env]"]
    local += [f"{name} = {_quoted(value)}" for name, value in server.command["env"].items()]
    yield _configuration(about, "hosted", "\n".join(hosted))
    yield _configuration(about, "local", "\n".join(local))


def _gemini(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "gemini",
        "name": "Gemini CLI",
        "where": "~/.gemini/settings.json",
        "language": "json",
        "documentation": "https://geminicli.com/docs/tools/mcp-server/",
    }
    yield from _both_ways(about, server, url_key="httpUrl")


def _opencode(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "opencode",
        "name": "opencode",
        "where": "~/.config/opencode/opencode.json",
        "language": "json",
        "documentation": "https://opencode.ai/docs/mcp-servers/",
    }
    hosted = {"type": "remote", "url": server.mcp_url, "headers": server.headers, "oauth": False}
    command = [server.command["command"], *server.command["args"]]
    local = {"type": "local", "command": command, "environment": server.command["env"]}
    yield _configuration(about, "hosted", _json("mcp", server, hosted))
    yield _configuration(about, "local", _json("mcp", server, local))


def _windsurf(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "windsurf",
        "name": "Windsurf",
        "where": "~/.codeium/windsurf/mcp_config.json",
        "language": "json",
        "documentation": "https://docs.windsurf.com/windsurf/cascade/mcp",
    }
    yield from _both_ways(about, server, url_key="serverUrl")


def _curl(server: Server) -> Iterator[Configuration]:
    about = {
        "client": "curl",
        "name": "curl",
        "where": "in a terminal of Linux or macOS",
        "language": "shell",
        "documentation": "https://modelcontextprotocol.io/specification/2025-06-18/basic/transports",
    }
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    yield _configuration(
        about,
        "hosted",
        f"curl {shlex.quote(server.mcp_url)} \\\n"
        f"  --header {shlex.quote(f'Authorization: Bearer {server.token}')} \\\n"
        "  --header 'Content-Type: application/json' \\\n"
        "  --header 'Accept: application/json, text/event-stream' \\\n"
        f"  --data {shlex.quote(message)}",
        note="Lists the tools: the quickest way to see whether the token works.",
    )


CLIENTS = (
    _claude_desktop,
    _claude_code,
    _cursor,
    _vs_code,
    _codex,
    _gemini,
    _opencode,
    _windsurf,
    _curl,
)


def _configuration(about: dict[str, Any], way: str, text: str, **more: str) -> Configuration:
    return Configuration(**about, way=way, text=text, **more)  # type: ignore[arg-type]


def _both_ways(about: dict[str, Any], server: Server, *, url_key: str) -> Iterator[Configuration]:
    hosted = {url_key: server.mcp_url, "headers": server.headers}
    yield _configuration(about, "hosted", _json("mcpServers", server, hosted))
    yield _configuration(about, "local", _json("mcpServers", server, server.command))


def _without_token(server: Server, stand_in: str) -> Server:
    return Server(server.mcp_url, server.base_url, stand_in, server.name)


def _vs_code_hosted(server: Server) -> dict[str, Any]:
    return {"type": "http", "url": server.mcp_url, "headers": server.headers}


def _vs_code_link(server: Server, entry: dict[str, Any]) -> str:
    ask = {
        "id": "bcrm_token",
        "type": "promptString",
        "description": "Personal access token (bcrm_pat_…)",
        "password": True,
    }
    whole = {"name": server.name, **entry, "inputs": [ask]}
    return "vscode:mcp/install?" + quote(json.dumps(whole, separators=(",", ":")), safe="")


def _cursor_link(server: Server, entry: dict[str, Any]) -> str:
    packed = base64.b64encode(json.dumps(entry, separators=(",", ":")).encode()).decode()
    return (
        "cursor://anysphere.cursor-deeplink/mcp/install"
        f"?name={quote(server.name, safe='')}&config={quote(packed, safe='')}"
    )


def _json(root: str, server: Server, entry: dict[str, Any]) -> str:
    return json.dumps({root: {server.name: entry}}, indent=2)


def _shell(words: list[str]) -> str:
    return " ".join(_word(each) for each in words)


def _word(word: str) -> str:
    """Quoted so that the shells of Linux, macOS and Windows all take it for one word."""
    quoted = shlex.quote(word)
    if quoted == word or any(each in word for each in '"\\$`%!'):
        return quoted
    return f'"{word}"'


def _quoted(value: str) -> str:
    # A TOML basic string escapes as JSON does.
    return json.dumps(value, ensure_ascii=False)
