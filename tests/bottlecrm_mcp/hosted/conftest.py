import socket
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache

from bottlecrm_mcp.hosted import thread_pool
from bottlecrm_mcp.hosted.oauth.provider import FetchingProvider
from pat_tokens.models import Connection, Event
from pat_tokens.rls import in_organisation
from settings.asgi import application
from tests.bottlecrm_mcp.hosted.oauth.flow import ISSUER, Flow, browser_of

PUBLIC = "93.184.215.14"


def streamed(response: httpx2.Response) -> httpx2.Response:
    """As it comes from a network: not read yet."""
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=httpx2.ByteStream(response.content),
    )


@pytest.fixture(autouse=True)
def _oauth(settings: Any) -> None:
    settings.PAT_TOKENS_ISSUER = ISSUER
    cache.clear()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What hosts of the internet answer, by URL: a document, or a response.

    Their names lead to a public address; what a name leads to and what is done about it is the
    fetcher's own. Every other URL is refused as some hosts refuse servers.
    """
    pages: dict[str, Any] = {}
    asked = socket.getaddrinfo

    def resolved(host: str, *arguments: Any, **options: Any) -> Any:
        if host in ("localhost", "127.0.0.1") or host is None:
            return asked(host, *arguments, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 443))]

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.host == PUBLIC
        url = f"https://{request.headers['Host']}{request.url.raw_path.decode()}"
        page = pages.get(url, httpx2.Response(403, text="challenge"))
        return streamed(
            page if isinstance(page, httpx2.Response) else httpx2.Response(200, json=page)
        )

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(FetchingProvider, "transport", httpx2.MockTransport(answer))
    return pages


@pytest.fixture
def app(web: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The whole application; database work is done on this thread, in the test's transaction."""

    async def here(work: Callable[[], Any]) -> Any:
        return await sync_to_async(work, thread_sensitive=True)()

    monkeypatch.setattr(thread_pool, "in_pool", here)
    return application


@pytest.fixture
def flow(app: Any, db: None) -> Flow:
    return Flow(app)


@pytest.fixture
def browser() -> Callable[[Any], Any]:
    return browser_of


@pytest.fixture
def connections() -> Callable[[Any], list[Connection]]:
    """Those of an organisation, oldest first."""

    def read(org: Any) -> list[Connection]:
        with in_organisation(org.pk):
            return list(Connection.objects.governed().order_by("created_at"))

    return read


@pytest.fixture
def events() -> Callable[..., list[Event]]:
    """The log of an organisation, oldest first."""

    def read(org: Any, **filters: Any) -> list[Event]:
        with in_organisation(org.pk):
            return list(Event.objects.filter(**filters).order_by("created_at"))

    return read
