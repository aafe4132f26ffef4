"""Bodies at the authorization server's endpoints: late, large, or no JSON."""

from collections.abc import Iterator
from typing import Any

import pytest

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.hosted.oauth.routes import MAX_BODY_BYTES
from tests.bottlecrm_mcp.hosted.http import send
from tests.bottlecrm_mcp.hosted.live import Wire, serving
from tests.bottlecrm_mcp.population import with_settings

PATHS = ["/oauth/token", "/token", "/oauth/register", "/oauth/revoke"]
DIGITS = "9" * 5000


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    from settings.asgi import django_application

    with serving(with_mcp(django_application)) as port:
        yield port


@pytest.mark.parametrize("path", PATHS)
def test_body_that_does_not_come(port: int, settings: Any, path: str) -> None:
    settings.BOTTLECRM_MCP = with_settings(BODY_SECONDS=1)
    with Wire(port) as wire:
        wire.post("none", "Content-Length: 10", path=path)
        wire.send(b"grant_typ")
        answer = wire.answer()
        assert (answer.status, answer.json["error"]) == (408, "invalid_request")
        assert "within 1 second" in answer.json["error_description"]
        assert answer.headers["connection"] == "close"
        assert wire.is_closed()


@pytest.mark.parametrize("path", PATHS)
def test_body_that_is_too_large(port: int, path: str) -> None:
    with Wire(port) as wire:
        wire.post("none", f"Content-Length: {MAX_BODY_BYTES + 1}", path=path)
        answer = wire.answer()
        assert (answer.status, answer.json["error"]) == (413, "invalid_request")
        assert wire.is_closed()


@pytest.mark.parametrize(
    "body", ["", "{", "[" * 10_000, "[]", '{"client_name": "\\ud800"}', f'{{"a": {DIGITS}}}', "NaN"]
)
def test_registration_that_is_no_json(app: Any, db: None, body: str) -> None:
    answer = send(app, path="/oauth/register", body=body.encode())
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client_metadata"
