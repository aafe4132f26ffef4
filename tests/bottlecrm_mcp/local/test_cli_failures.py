"""What `bcrm-mcp` says where something is wrong: one line, and a status that is not 0."""

import asyncio
import json
import socket
import subprocess
import time

import pytest

from bottlecrm_mcp.local import cli, proxy
from bottlecrm_mcp.local.proxy import modern_request
from tests.agent import LEGACY
from tests.bottlecrm_mcp.local.client import COMMAND, launched, run, variables
from tests.bottlecrm_mcp.local.stand_in import DEAD_TOKEN, NOT_FOUND, Said, crm, serving

TOKEN = "bcrm_pat_0123456789"
PAGE = "<html><body>Our web app</body></html>"


def complaint(base_url, token=TOKEN, status=1, **more):
    """The one line of a start that fails."""
    done = run(**variables(base_url, token, **more))
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "0123456789" not in done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("bcrm-mcp: ")
    return line


def at(answers, **more):
    with serving(answers) as stand_in:
        return complaint(stand_in.url, **more)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_no_settings():
    assert "Set BCRM_BASE_URL" in complaint("", "")
    assert "Set BCRM_TOKEN" in complaint("https://crm.example.com", "")


def test_token_without_prefix():
    assert "begin with bcrm_pat_" in complaint("https://crm.example.com", "0123456789")


@pytest.mark.parametrize("check", [(), ("--check",)])
def test_entities_that_there_are_not(check):
    settings = variables("https://crm.example.com", TOKEN, BCRM_MODE="rest", BCRM_ENTITIES="dreams")
    done = run(*check, **settings)
    assert done.returncode == 1
    assert "BCRM_ENTITIES: no such entity: dreams; known are" in done.stderr


def test_plain_http_to_another_machine():
    assert "plain http" in complaint("http://crm.example.com")


@pytest.mark.parametrize("mode", ["auto", "rest", "mcp"])
def test_dead_host(mode):
    line = complaint(f"http://127.0.0.1:{free_port()}", BCRM_MODE=mode)
    assert "nothing listens there" in line


@pytest.mark.parametrize("mode", ["auto", "rest"])
def test_unknown_host(mode):
    assert "was not found" in complaint("https://crm.invalid", BCRM_MODE=mode)


@pytest.mark.parametrize("mode", ["auto", "rest"])
def test_tls_failure(mode):
    with serving(crm) as stand_in:
        line = complaint(stand_in.url.replace("http:", "https:"), BCRM_MODE=mode)
    assert "No trusted TLS connection" in line


@pytest.mark.parametrize("mode", ["auto", "rest", "mcp"])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_failing_host_is_no_change_of_mode(status, mode):
    line = at(lambda asked: Said(status, PAGE), BCRM_MODE=mode)
    assert f"fails at present (status {status})" in line


@pytest.mark.parametrize("mode", ["auto", "rest", "mcp"])
def test_refused_token(mode):
    line = at(lambda asked: Said(401, {"detail": "no"}), BCRM_MODE=mode)
    assert "does not accept this token" in line


def test_bottlecrms_way_of_refusing_a_token():
    def answers(asked):
        return Said(404, NOT_FOUND) if asked.path == "/mcp" else Said(403, DEAD_TOKEN)

    assert "does not accept this token" in at(answers)


@pytest.mark.parametrize("mode", ["auto", "rest"])
def test_web_app_instead_of_the_api(mode):
    line = at(lambda asked: Said(200, PAGE), BCRM_MODE=mode)
    assert "web page" in line
    assert "API host" in line


def test_other_api():
    assert "does not serve BottleCRM's API" in at(lambda asked: Said(404, {"message": "?"}))


def test_no_endpoint_where_one_is_wanted():
    assert "no MCP endpoint" in at(crm, BCRM_MODE="mcp")


def test_endpoint_that_speaks_something_else():
    line = at(lambda asked: Said(200, {"hello": "world"}))
    assert "does not answer as MCP" in line


@pytest.mark.parametrize("mode", ["auto", "rest"])
def test_redirect(mode):
    with serving(crm) as other:
        line = at(lambda asked: Said(301, "", {"Location": other.url + "/x?y=z"}), BCRM_MODE=mode)
    assert "a token is not sent on" in line
    assert "y=z" not in line
    assert other.asked == []


def test_host_that_never_answers(monkeypatch, capsys):
    monkeypatch.setattr(proxy, "PROBE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("BCRM_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("BCRM_TOKEN", TOKEN)
        assert cli.command([]) == 1
    assert "did not answer in time" in capsys.readouterr().err


def test_scoped_token_where_there_is_no_endpoint():
    """BottleCRM refuses it there before it looks whether there is anything."""

    def answers(asked):
        if asked.path == "/mcp" and "authorization" in asked.headers:
            return Said(403, {"detail": "This token is not scoped for this endpoint."})
        return crm(asked)

    with serving(answers) as stand_in:
        done = run("--check", **variables(stand_in.url, TOKEN))
    assert done.returncode == 0, done.stderr
    assert "its REST API" in done.stdout


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_information(argument):
    done = run(argument, PATH="")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "bcrm-mcp" in done.stdout


def test_unknown_argument():
    assert run("--nonsense", PATH="").returncode == 2


def test_end_of_input_ends_it():
    with serving(crm) as stand_in:
        done = run(**variables(stand_in.url, TOKEN))
    assert (done.returncode, done.stdout) == (0, "")


def test_lines_that_are_no_messages():
    lines = ["", "nonsense", "[]", '{"id": 7, "method": "x"}', '{"jsonrpc": "2.0"}']
    with serving(crm) as stand_in:
        done = run(stdin="\n".join(lines) + "\n", **variables(stand_in.url, TOKEN))
    assert done.returncode == 0
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["error"]["code"] for each in said] == [-32700, -32700, -32600, -32600]
    assert said[2]["id"] == 7


ODD_MESSAGES = [
    '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "\\ud800"}}',
    '{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"arguments": NaN}}',
    '{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"arguments": 1e400}}',
    '{"jsonrpc": "2.0", "id": 4, "method": ["tools/call"]}',
    '{"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": [1]}',
    '{"jsonrpc": "2.0", "id": [6], "method": "tools/list"}',
    '{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": [1]}',
    '{"jsonrpc": "2.0", "id": ' + "9" * 5_000 + ', "method": "tools/list"}',
    '{"a":' * 100_000,
]


@pytest.mark.parametrize("mode", ["mcp", "rest"])
def test_odd_messages_do_not_end_it(mode):
    """Neither what JSON can't say, though Python reads it, nor other types than a message has."""

    def answers(asked):
        if asked.path == "/mcp":
            return Said(200, {"jsonrpc": "2.0", "id": asked.body["id"], "result": {}})
        return crm(asked)

    ping = {"jsonrpc": "2.0", "id": "last", "method": "ping"}
    lines = [*ODD_MESSAGES, json.dumps(ping)]
    with serving(answers) as stand_in:
        settings = variables(stand_in.url, TOKEN, BCRM_MODE=mode)
        with subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings
        ) as process:
            process.stdin.write("\n".join(lines) + "\n")
            process.stdin.flush()
            said = [json.loads(process.stdout.readline()) for _ in lines]
            process.stdin.close()
    assert [each["id"] for each in said[:5]] == [1, 2, 3, 4, 5]
    assert all("error" in each for each in said[:-1])
    assert said[-1]["id"] == "last"


def test_crm_that_goes_away_after_the_start():
    """A tool error, and the server goes on."""

    async def use(url):
        # The older protocol begins with a handshake, so that the server is known to have started.
        async with launched(url, TOKEN, LEGACY) as agent:
            broken.append(True)
            first = await agent.refused("crm_search", entity="leads")
            broken.clear()
            return first, await agent("crm_search", entity="invoices")

    broken: list[bool] = []

    def answers(asked):
        if asked.path.startswith("/api/invoices/"):
            return Said(200, {"results": [], "count": 0})
        return Said(500, PAGE) if broken else crm(asked)

    with serving(answers) as stand_in:
        first, second = asyncio.run(use(stand_in.url))
    assert first["code"] == "crm_error"
    assert second["total"] == 0


def test_write_is_sent_once_whatever_happens():
    async def use(url):
        async with launched(url, TOKEN) as agent:
            data = {"first_name": "Ann"}
            return await agent.refused("crm_create", entity="leads", data=data)

    def answers(asked):
        if asked.path == "/api/leads/" and asked.method == "POST":
            return Said(502, PAGE)
        if asked.path.startswith("/api/leads/"):
            return Said(200, {})
        return crm(asked)

    with serving(answers) as stand_in:
        error = asyncio.run(use(stand_in.url))
    assert "may have kept" in error["hint"]
    assert stand_in.paths("POST").count("/api/leads/") == 1


def test_exit_does_not_wait_for_the_crm():
    """The client leaves while a call is running."""
    call = modern_request("tools/call", {"name": "crm_search", "arguments": {"entity": "leads"}})

    def answers(asked):
        if asked.path.startswith("/api/leads/"):
            started.append(asked)
            time.sleep(5)
        return crm(asked)

    started: list[object] = []
    with serving(answers) as stand_in:
        server = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables(stand_in.url, TOKEN),
        )
        with server:
            server.stdin.write(json.dumps(call).encode() + b"\n")
            server.stdin.flush()
            while not started:
                assert server.poll() is None
            server.stdin.close()
            assert server.wait(timeout=3) == 0
