"""The official SDK's OAuth client against the running demo, and Chromium at its consent page."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from typing import Any

import httpx2
import pytest
from django.db import connection
from django.utils import timezone
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from bottlecrm_mcp.hosted.oauth.documents import NotFetched
from pat_tokens.models import Connection, Token
from pat_tokens.oauth.connections import end_by_id
from pat_tokens.rls import in_organisation
from tests.agent import text_of
from tests.bottlecrm_mcp.hosted.oauth.flow import (
    CLAUDE_CODE,
    Flow,
    browser_of,
    hidden,
    post,
    query_of,
)
from tests.pat_tokens.pages.browser import chromium, opened, serving, sign_in
from tests.programs import needs_chromium

pytestmark = pytest.mark.django_db(transaction=True)

CALLBACK = "http://localhost:49536/callback"
Work = Callable[[Client], Any]


class Store:
    """Tokens in memory; the SDK's TokenStorage."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None
        self.auth: Any = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Person:
    """Opens what the client opens, signs in, and decides."""

    def __init__(self, profile: Any, **choice: str) -> None:
        self.profile, self.choice = profile, choice
        self.asked: list[str] = []
        self.answer = ""

    async def open(self, url: str) -> None:
        async with httpx2.AsyncClient() as http:
            response = await http.get(url)
        assert response.status_code == 302, response.text
        self.asked.append(url)
        path = httpx2.URL(response.headers["Location"]).raw_path.decode()
        with ThreadPoolExecutor(1) as thread:
            self.answer = await asyncio.wrap_future(thread.submit(self._decide, path))

    def _decide(self, path: str) -> str:
        try:
            browser = browser_of(self.profile)
            page = browser.get(path)
            form = {"access": "read_only", "days": "90", "allow": "1", **self.choice}
            answer = post(browser, path, {"owner": hidden(page, "owner"), **form})
            assert answer.status_code == 303, answer.content.decode()
            return str(answer["Location"])
        finally:
            connection.close()

    async def callback(self) -> AuthorizationCodeResult:
        assert self.answer.startswith(CALLBACK)
        said = query_of(self.answer)
        return AuthorizationCodeResult(
            code=said["code"], state=said.get("state"), iss=said.get("iss")
        )


@pytest.fixture
def site(settings: Any, transactional_db: None) -> Iterator[str]:
    with serving() as url:
        settings.PAT_TOKENS_ISSUER = url
        yield url


def connected(
    site: str, store: Store, person: Person, work: Work, by_document: bool = False
) -> Any:
    metadata = OAuthClientMetadata(
        client_name="SDK client",
        redirect_uris=[AnyUrl(CALLBACK)],
        token_endpoint_auth_method="none",
    )

    async def run() -> Any:
        auth = OAuthClientProvider(
            f"{site}/mcp",
            metadata,
            store,
            person.open,
            person.callback,
            client_metadata_url=CLAUDE_CODE if by_document else None,
        )
        store.auth = auth
        async with (
            httpx2.AsyncClient(auth=auth, timeout=20) as http,
            Client(streamable_http_client(f"{site}/mcp", http_client=http)) as client,
        ):
            return await work(client)

    return asyncio.run(run())


async def count_leads(client: Client) -> int:
    result = await client.call_tool("crm_search", {"entity": "leads"})
    assert not result.is_error, result.content
    return int(json.loads(text_of(result))["total"])


@pytest.mark.parametrize("by_document", [False, True], ids=["registration", "document"])
def test_by_address_alone(site, alpha_user, by_document, monkeypatch) -> None:
    store, person = Store(), Person(alpha_user)
    if by_document:
        # Nothing of the internet is asked by a test: the copy stands in, as where it is refused.
        async def refused(*arguments: Any) -> Any:
            raise NotFetched("it answered 403")

        monkeypatch.setattr("bottlecrm_mcp.hosted.oauth.provider.fetch_document", refused)
    assert connected(site, store, person, count_leads, by_document) == 0
    assert len(person.asked) == 1
    assert store.tokens is not None
    assert store.client is not None
    assert (store.client.client_id == CLAUDE_CODE) == by_document
    # The tokens are kept: the next start asks nobody.
    assert connected(site, store, person, count_leads, by_document) == 0
    assert len(person.asked) == 1


def test_refreshes_by_itself(site, alpha_user) -> None:
    store, person = Store(), Person(alpha_user)
    connected(site, store, person, count_leads)
    assert store.tokens is not None
    first = store.tokens.access_token

    async def search_after_expiry(client: Client) -> int:
        await count_leads(client)
        await asyncio.to_thread(expire_access_tokens, alpha_user)
        # By its clock too: told by a 401 alone, this client asks the person again.
        store.auth.context.token_expiry_time = 1
        return await count_leads(client)

    connected(site, store, person, search_after_expiry)
    assert store.tokens.access_token != first
    assert len(person.asked) == 1
    [made] = connections_of(alpha_user)
    assert made.status == "active"


def test_cut_off_when_disconnected(site, alpha_user) -> None:
    store, person = Store(), Person(alpha_user)
    connected(site, store, person, count_leads)
    [made] = connections_of(alpha_user)
    assert end_by_id(made.pk, by=alpha_user)
    # It has to ask the person again.
    connected(site, store, person, count_leads)
    assert len(person.asked) == 2
    assert [each.status for each in connections_of(alpha_user)] == ["ended", "active"]


def test_asks_for_more_by_itself(site, alpha_user) -> None:
    """A call that needs more leads to the consent page again (step-up)."""
    store, person = Store(), Person(alpha_user)

    async def write(client: Client) -> Any:
        person.choice["access"] = "read_write"
        data = {"last_name": "New", "title": "New", "email": "new@example.com"}
        return await client.call_tool("crm_create", {"entity": "leads", "data": data})

    result = connected(site, store, person, write)
    assert not result.is_error, result.content
    assert len(person.asked) == 2
    assert store.tokens is not None
    assert store.tokens.scope == "crm:read crm:write"


def connections_of(owner: Any) -> list[Connection]:
    with in_organisation(owner.org_id):
        return list(Connection.objects.governed().order_by("created_at"))


def expire_access_tokens(owner: Any) -> None:
    try:
        with in_organisation(owner.org_id):
            Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    finally:
        connection.close()


@needs_chromium
def test_consent_in_a_browser(site, alpha_user) -> None:
    """On a desktop and a phone, with scripts and without: to start one takes longer than a page."""
    with chromium() as browser:
        for width, scripts in product((1280, 390), (True, False)):
            consent(browser, site, alpha_user, width, scripts)


def consent(browser, site, person, width, scripts) -> None:
    back = f"{site}/settings/api-tokens/"
    registered = httpx2.post(
        f"{site}/oauth/register",
        json={"client_name": "Desk", "redirect_uris": [back]},
    ).json()
    asked = Flow(None, registered["client_id"], back).asked(resource=f"{site}/mcp")
    url = str(httpx2.URL(f"{site}/oauth/authorize", params=asked))
    size = {"width": width, "height": 844}
    with opened(browser, site, java_script_enabled=scripts, viewport=size) as page:
        sign_in(page, person.user.email)
        page.goto(url)
        page.get_by_role("heading", name="Connect “Desk”?").wait_for()
        assert page.get_by_text("unverified").is_visible()
        assert page.get_by_label("Read only").is_checked()
        wide = page.evaluate("document.documentElement.scrollWidth") if scripts else width
        assert wide <= width
        with page.expect_request(f"{back}?*") as led:
            page.get_by_role("button", name="Allow").click()
        assert "code=bcrm_oac_" in led.value.url
