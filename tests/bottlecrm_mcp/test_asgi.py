import asyncio
import gc
import json
from typing import Any

import httpx2
import pytest

from tests.bottlecrm_mcp.hosted.http import JSON, LIST_TOOLS, bearer, send
from tests.bottlecrm_mcp.population import with_settings


@pytest.fixture
def headers(token_for, alpha_user):
    return bearer(token_for(alpha_user))


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_both_paths(app, headers, path) -> None:
    response = send(app, path=path, headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.json()["result"]["tools"]


@pytest.mark.parametrize("path", ["/", "/mcpx", "/api/leads/", "/api/mcp/", "/files/mcp"])
def test_other_paths_are_the_other_applications(app, path) -> None:
    assert send(app, path=path).status_code == 418


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD"])
def test_other_methods(app, headers, method) -> None:
    response = send(app, method=method, headers=headers)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST, OPTIONS"


def test_wrong_host(app, headers) -> None:
    response = send(app, headers=headers | {"Host": "evil.example"}, body=b"garbage")
    assert response.status_code == 400


def test_host_is_checked_before_the_token(app, db) -> None:
    refused = send(app, headers={"Host": "evil.example"})
    assert refused.status_code == 400
    assert "ALLOWED_HOSTS" in refused.json()["error"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://testserver.evil.example",
        "https://testserver",
        "http://testserver:81",
        "null",
        "",
    ],
)
def test_foreign_origin(app, headers, settings, origin) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://crm.example"]
    response = send(app, headers=headers | {"Origin": origin}, body=b"garbage")
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("origin", ["http://testserver", "https://crm.example"])
def test_allowed_origin(app, headers, settings, origin) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://crm.example"]
    response = send(app, headers=headers | {"Origin": origin})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert "WWW-Authenticate" in response.headers["Access-Control-Expose-Headers"]
    assert response.headers["Vary"] == "Origin"


def test_origin_by_pattern_matches_as_a_whole(app, headers, settings) -> None:
    settings.CORS_ALLOWED_ORIGIN_REGEXES = [r"https://\w+\.crm\.example"]
    good, bad = "https://a.crm.example", "https://a.crm.example.evil.example"
    assert send(app, headers=headers | {"Origin": good}).status_code == 200
    assert send(app, headers=headers | {"Origin": bad}).status_code == 403


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ALLOW_ALL_ORIGINS", True),
        ("CORS_ORIGIN_ALLOW_ALL", True),
        ("CORS_ORIGIN_WHITELIST", ["https://crm.example"]),
        ("CORS_ORIGIN_REGEX_WHITELIST", [r"https://crm\.example"]),
    ],
)
def test_other_settings_that_allow_an_origin(app, headers, settings, name, value) -> None:
    setattr(settings, name, value)
    response = send(app, headers=headers | {"Origin": "https://crm.example"})
    assert response.status_code == 200


def test_refusals_can_be_read_by_an_allowed_origin(app, db, settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://crm.example"]
    response = send(app, headers={"Origin": "https://crm.example"})
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == "https://crm.example"


def test_preflight(app, settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://crm.example"]
    asked = {
        "Origin": "https://crm.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,mcp-protocol-version",
    }
    response = send(app, method="OPTIONS", headers=asked, body=b"")
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "https://crm.example"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    for name in ("authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name"):
        assert name in allowed
    assert "access-control-allow-credentials" not in response.headers


def test_preflight_of_a_foreign_origin(app) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert send(app, method="OPTIONS", headers=asked, body=b"").status_code == 403


def test_body_over_the_limit(app, headers) -> None:
    body = json.dumps(LIST_TOOLS | {"params": {"x": "y" * 1_000_000}}).encode()
    response = send(app, headers=headers, body=body)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == -32600


def test_limit_of_the_settings(headers, settings, app) -> None:
    from bottlecrm_mcp.asgi import with_mcp

    settings.BOTTLECRM_MCP = with_settings(MAX_BODY_BYTES=100)
    small = with_mcp(None)
    assert send(small, headers=headers).status_code == 200
    big = LIST_TOOLS | {"params": {"cursor": "x" * 100}}
    assert send(small, headers=headers, body=big).status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"jsonrpc": "1.0"}', b"\xff\xfe", b"<html>"]
)
def test_garbage_with_a_valid_token(app, headers, body) -> None:
    response = send(app, headers=headers, body=body)
    assert response.status_code == 400
    assert "Traceback" not in response.text
    assert response.json()["error"]["code"] in (-32700, -32600, -32602)


def test_client_that_hangs_up_in_mid_request(app, headers, caplog) -> None:
    answered = []

    async def hang_up(scope, receive, send):
        received = iter([{"type": "http.request", "body": b"{", "more_body": True}])

        async def receive_part():
            return next(received, {"type": "http.disconnect"})

        async def note(message):
            answered.append(message)

        await app(scope, receive_part, note)
        await send({"type": "http.response.start", "status": 499, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert send(hang_up, headers=headers).status_code == 499
    assert answered == []
    assert "Traceback" not in caplog.text


def test_spaces_after_header_values(app, headers) -> None:
    spaced = {name: f"{value} " for name, value in headers.items()}
    assert send(app, headers=spaced).status_code == 200


def test_under_a_root_path(app, headers) -> None:
    async def mounted(scope, receive, send):
        await app({**scope, "root_path": "/crm"}, receive, send)

    assert send(mounted, path="/crm/mcp", headers=headers).status_code == 200


def test_database_that_does_not_answer(app, headers, monkeypatch) -> None:
    from django.db import OperationalError

    from bottlecrm_mcp.hosted import thread_pool

    async def down(work):
        raise OperationalError("no connection to 10.0.0.1")

    monkeypatch.setattr(thread_pool, "in_pool", down)
    response = send(app, headers=headers)
    assert response.status_code == 503
    assert "10.0.0.1" not in response.text


def test_secret_is_not_in_the_text_of_a_call(token_for, alpha_user) -> None:
    from bottlecrm_mcp.gateway.in_process.deadline import Deadline
    from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway, Origin
    from bottlecrm_mcp.hosted.admission import Call
    from bottlecrm_mcp.hosted.authentication import authenticate

    secret = token_for(alpha_user)
    caller = authenticate(secret)
    call = Call(caller, secret, Origin(), Deadline(1))
    gateway = InProcessGateway(None, caller, secret)
    assert secret not in f"{call} {call!r} {caller!r} {gateway!r}"


@pytest.mark.django_db(transaction=True)
def test_with_lifespan(token_for, alpha_user) -> None:
    from bottlecrm_mcp.asgi import with_mcp

    app, headers = with_mcp(None), bearer(token_for(alpha_user))

    async def run():
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        outbox: asyncio.Queue[Any] = asyncio.Queue()
        life = asyncio.ensure_future(app({"type": "lifespan"}, inbox.get, outbox.put))
        await inbox.put({"type": "lifespan.startup"})
        assert (await outbox.get())["type"] == "lifespan.startup.complete"
        # What stays for good is not looked through by each garbage collection.
        assert gc.get_freeze_count()
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            asked = [
                client.post("/mcp", json=LIST_TOOLS, headers={**JSON, **headers}) for _ in range(5)
            ]
            statuses = [response.status_code for response in await asyncio.gather(*asked)]
        await inbox.put({"type": "lifespan.shutdown"})
        assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
        await life
        return statuses

    assert asyncio.run(run()) == [200] * 5


def called(app, headers, tool, **arguments):
    message = LIST_TOOLS | {
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    return send(app, headers=headers, body=message).json()["result"]["structuredContent"]


def test_sealed_confirmation_of_the_settings(app, headers, settings) -> None:
    lead = called(app, headers, "crm_create", entity="leads", data={"first_name": "Ann"})["id"]
    settings.BOTTLECRM_MCP = with_settings(CONFIRMATION="sealed")
    preview = called(app, headers, "crm_delete", entity="leads", id=lead, confirm=True)
    assert preview["confirmation_required"] is True
    sealed = {"confirm": True, "confirmation": preview["confirmation"]}
    assert called(app, headers, "crm_delete", entity="leads", id=lead, **sealed)["deleted"] is True


def test_call_that_a_server_cuts_off_as_it_stops(app, monkeypatch, headers) -> None:
    from bottlecrm_mcp.asgi import with_mcp

    running = asyncio.Event()

    async def run_on(work):
        running.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("bottlecrm_mcp.asgi.run_as_caller", run_on)
    served = with_mcp(app)

    async def stopping(scope, receive, send):
        task = asyncio.ensure_future(served(scope, receive, send))
        await asyncio.wait_for(running.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    body = LIST_TOOLS | {
        "method": "tools/call",
        "params": {"name": "crm_describe", "arguments": {"entity": "leads"}},
    }
    response = send(stopping, headers=headers, body=body)
    assert response.status_code == 503
    assert "not known" in response.json()["error"]


ACCEPTED = {
    "": "application/json",
    "application/json": "application/json",
    "application/*": "application/json",
    "*/*": "application/json",
    "text/event-stream": "text/event-stream",
    "application/json, text/event-stream": "application/json",
}


@pytest.mark.parametrize(("accept", "kind"), ACCEPTED.items())
def test_one_of_the_two_types_is_enough(app, token_for, alpha_user, accept, kind) -> None:
    headers = {**bearer(token_for(alpha_user)), "Accept": accept}
    answer = send(app, headers=headers, body=LIST_TOOLS)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith(kind)
    assert "crm_search" in answer.text


def test_other_type_is_refused(app, token_for, alpha_user) -> None:
    headers = {**bearer(token_for(alpha_user)), "Accept": "text/html"}
    assert send(app, headers=headers, body=LIST_TOOLS).status_code == 406
