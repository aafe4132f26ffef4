"""Each configuration in the shape that its client documents."""

import base64
import json
import shlex
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pat_tokens.services.client_configs import PLACEHOLDER, configurations

URL = "https://api.example.com/mcp"
TOKEN = "bcrm_pat_abc"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
LOCAL = {
    "command": "uvx",
    "args": ["--from", "bcrm-mcp>=1", "bcrm-mcp"],
    "env": {"BCRM_BASE_URL": "https://api.example.com", "BCRM_TOKEN": TOKEN},
}


@pytest.fixture(autouse=True)
def published(settings):
    settings.PAT_TOKENS_LOCAL_PACKAGE = "bcrm-mcp>=1"


def find(client: str, way: str):
    (found,) = [
        each for each in configurations(URL, TOKEN) if (each.client, each.way) == (client, way)
    ]
    return found


def entry(client: str, way: str, root: str = "mcpServers"):
    return json.loads(find(client, way).text)[root]["bottlecrm"]


def test_every_client_is_served_both_ways() -> None:
    offered = {(each.client, each.way) for each in configurations(URL)}
    clients = {"claude-desktop", "claude-code", "cursor", "vs-code", "codex", "gemini", "opencode"}
    clients |= {"windsurf"}
    both = {(client, way) for client in clients for way in ("hosted", "local")}
    assert offered == both | {("curl", "hosted")}


def test_local_server_is_offered_from_where_it_is(settings) -> None:
    settings.PAT_TOKENS_LOCAL_PACKAGE = "git+https://git.example.com/bcrm mcp"
    arguments = ["--from", "git+https://git.example.com/bcrm mcp", "bcrm-mcp"]
    assert entry("cursor", "local")["args"] == arguments
    assert shlex.split(find("claude-code", "local").text)[-4:] == ["uvx", *arguments]
    codex = tomllib.loads(find("codex", "local").text)["mcp_servers"]["bottlecrm"]
    assert codex["args"] == arguments
    del settings.PAT_TOKENS_LOCAL_PACKAGE
    assert {each.way for each in configurations(URL)} == {"hosted"}


def test_without_a_token_there_is_a_placeholder() -> None:
    assert all(PLACEHOLDER in each.text for each in configurations(URL))


def test_every_configuration_is_filled_in() -> None:
    for each in configurations(URL, TOKEN):
        assert TOKEN in each.text
        assert "https://api.example.com" in each.text
        assert each.documentation.startswith("https://")


@pytest.mark.parametrize("client", ["claude-desktop", "cursor", "gemini", "windsurf"])
def test_local_json(client) -> None:
    assert entry(client, "local") == LOCAL


def test_claude_desktop_hosted() -> None:
    bridge = entry("claude-desktop", "hosted")
    assert bridge["args"] == ["-y", "mcp-remote", URL, "--header", "Authorization:${BCRM_BEARER}"]
    assert bridge["env"] == {"BCRM_BEARER": f"Bearer {TOKEN}"}


def test_claude_code_hosted() -> None:
    words = shlex.split(find("claude-code", "hosted").text)
    assert words[:5] == ["claude", "mcp", "add", "--transport", "http"]
    assert words[-4:] == ["bottlecrm", URL, "--header", f"Authorization: Bearer {TOKEN}"]


def test_claude_code_local() -> None:
    words = shlex.split(find("claude-code", "local").text)
    env = ["--env", "BCRM_BASE_URL=https://api.example.com", "--env", f"BCRM_TOKEN={TOKEN}"]
    local = ["--", "uvx", "--from", "bcrm-mcp>=1", "bcrm-mcp"]
    assert words[words.index("bottlecrm") :] == ["bottlecrm", *env, *local]


@pytest.mark.parametrize("way", ["hosted", "local"])
def test_a_command_is_good_for_windows(way) -> None:
    assert "'" not in find("claude-code", way).text


def test_another_source_of_the_local_command(settings) -> None:
    settings.PAT_TOKENS_LOCAL_PACKAGE = "/srv/bcrm mcp"
    assert entry("cursor", "local")["args"] == ["--from", "/srv/bcrm mcp", "bcrm-mcp"]
    assert '--from "/srv/bcrm mcp" bcrm-mcp' in find("claude-code", "local").text


def test_opencode() -> None:
    hosted = {"type": "remote", "url": URL, "headers": BEARER, "oauth": False}
    assert entry("opencode", "hosted", "mcp") == hosted
    local = entry("opencode", "local", "mcp")
    assert local["command"] == [LOCAL["command"], *LOCAL["args"]]
    assert local["environment"] == LOCAL["env"]


def test_cursor_hosted() -> None:
    assert entry("cursor", "hosted") == {"url": URL, "headers": BEARER}


def test_vs_code() -> None:
    assert entry("vs-code", "hosted", "servers") == {"type": "http", "url": URL, "headers": BEARER}
    assert entry("vs-code", "local", "servers") == {"type": "stdio", **LOCAL}


def test_codex() -> None:
    hosted = tomllib.loads(find("codex", "hosted").text)["mcp_servers"]["bottlecrm"]
    assert hosted == {"url": URL, "http_headers": BEARER}
    assert tomllib.loads(find("codex", "local").text)["mcp_servers"]["bottlecrm"] == LOCAL


def test_gemini_hosted() -> None:
    assert entry("gemini", "hosted") == {"httpUrl": URL, "headers": BEARER}


def test_windsurf_hosted() -> None:
    assert entry("windsurf", "hosted") == {"serverUrl": URL, "headers": BEARER}


def test_curl() -> None:
    words = shlex.split(find("curl", "hosted").text)
    assert words[1] == URL
    assert f"Authorization: Bearer {TOKEN}" in words
    assert json.loads(words[-1])["method"] == "tools/list"


@pytest.mark.parametrize("way", ["hosted", "local"])
def test_cursor_link(way) -> None:
    link = find("cursor", way).install_url
    query = parse_qs(urlsplit(link).query)
    packed = json.loads(base64.b64decode(query["config"][0]))
    assert query["name"] == ["bottlecrm"]
    assert link.startswith("cursor://anysphere.cursor-deeplink/mcp/install?")
    assert "${env:BCRM_TOKEN}" in json.dumps(packed)
    assert ("url" if way == "hosted" else "command") in packed


@pytest.mark.parametrize("way", ["hosted", "local"])
def test_vs_code_link(way) -> None:
    link = find("vs-code", way).install_url
    whole = json.loads(unquote(link.removeprefix("vscode:mcp/install?")))
    assert whole["name"] == "bottlecrm"
    assert whole["inputs"][0]["password"] is True
    assert "${input:bcrm_token}" in json.dumps(whole)


def test_no_link_carries_the_token() -> None:
    for each in configurations(URL, TOKEN):
        assert TOKEN not in unquote(each.install_url)
        assert base64.b64encode(TOKEN.encode()).decode()[:8] not in each.install_url


def test_the_page_of_clients_has_the_same_text() -> None:
    page = (Path(__file__).parents[3] / "docs/clients.md").read_text()
    missing = [
        f"{each.client}, {each.way}"
        for each in configurations("https://crm.example.com/mcp")
        if each.text not in page
    ]
    assert missing == []
