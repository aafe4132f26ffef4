"""An attacker with one valid token, at an endpoint whose answers and logs are watched."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache

from bottlecrm_mcp.hosted import thread_pool
from settings.asgi import application
from tests.bottlecrm_mcp.conftest import alpha, app, beta, crm_of, tools_of  # noqa: F401 (fixtures)
from tests.bottlecrm_mcp.hosted.http import bearer, send

# What only the inside of the server says.
REVEALING = re.compile(
    r"Traceback|<html|<!DOCTYPE|File \"/|psycopg|\bSELECT\b|demo_crm|pydantic|validation error",
    re.I,
)
DISPLAYED = 13

# Without a body, and the SDK's own refusals.
PLAIN = (202, 204, 406, 413)
SSE = "text/event-stream"

Attack = Callable[..., httpx2.Response]


@pytest.fixture
def secret(two_orgs: SimpleNamespace, token_for: Callable[..., str]) -> str:
    return token_for(two_orgs.alpha_admin)


@pytest.fixture(autouse=True)
def logs_hold_no_token(
    token_for: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> Iterator[pytest.LogCaptureFixture]:
    """Whatever a test did, no log shows more of a token than its prefix, nor its digest."""
    from pat_tokens.models import Token

    made: list[str] = []
    create = Token.create.__func__  # type: ignore[attr-defined]

    def remember(cls: Any, *args: Any, **kwargs: Any) -> Any:
        token, secret = create(cls, *args, **kwargs)
        made.append(secret)
        return token, secret

    caplog.set_level(logging.DEBUG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Token, "create", classmethod(remember))
        yield caplog
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    # The test's own client logs the URL that it asks for.
    served = (each for each in records if each.name != "httpx2")
    text = "\n".join(logging.Formatter().format(each) for each in served)
    for secret in made:
        assert secret[: DISPLAYED + 3] not in text
        assert secret[DISPLAYED:] not in text
        assert hashlib.sha256(secret.encode()).hexdigest() not in text


@pytest.fixture
def attack(secret: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Attack:
    """Sends a request to the whole application; its answer is in order, whatever was sent."""
    settings.BOTTLECRM_MCP = {
        **settings.BOTTLECRM_MCP, "CALLS_PER_MINUTE": None, "CONCURRENT_CALLS": None
    }  # fmt: skip
    cache.clear()

    async def here(work: Callable[[], Any]) -> Any:
        return await sync_to_async(work, thread_sensitive=True)()

    monkeypatch.setattr(thread_pool, "in_pool", here)

    def request(body: Any, headers: Any = (), **options: Any) -> httpx2.Response:
        given = [*bearer(secret).items(), *headers]
        response = send(application, body=body, headers=given, **options)
        require_in_order(response)
        return response

    return request


def require_in_order(response: httpx2.Response) -> None:
    """Neither a server error nor anything of the server's inside, and nothing of the victim."""
    assert response.status_code < 500, response.text
    assert all(value.isascii() for _, value in response.headers.raw)
    if response.status_code not in PLAIN and not response.headers["Content-Type"].startswith(SSE):
        response.json()
    assert not REVEALING.search(response.text), response.text
    assert "beta" not in response.text.lower()
    assert '"internal_error"' not in response.text
    assert '"crm_error"' not in response.text
