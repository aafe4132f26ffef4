"""The page in Chromium, end to end, with scripts and without them."""

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from django.utils import timezone
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from playwright.sync_api import Browser, Page, ViewportSize, expect

from pat_tokens.audit.events import record
from pat_tokens.models import Call, DailyUse, Event, Token
from pat_tokens.rls import in_organisation
from pat_tokens.services.issue import create_token
from pat_tokens.services.own_changes import pause
from pat_tokens.services.policy import change_policy
from pat_tokens.services.presets import scopes_for
from tests.agent import Json, text_of
from tests.pat_tokens.pages.browser import (
    OF_COLOURS,
    assert_looks,
    chromium,
    opened,
    picture,
    serving,
    sign_in,
)
from tests.programs import needs_chromium

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]

SECRET = re.compile(r"bcrm_pat_[0-9A-Za-z]{49}")
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def site(browser, transactional_db) -> Iterator[str]:
    with serving() as url:
        yield url


def search(url: str, secret: str) -> Json:
    """One call with the official client, in a thread without a loop."""

    async def call() -> Json:
        headers = {"Authorization": f"Bearer {secret}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=20) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            result = await client.call_tool("crm_search", {"entity": "leads"})
            return json.loads(text_of(result))

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, call()).result()


def create(page: Page, name: str) -> str:
    page.goto("/settings/api-tokens/new/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("heading", name="Copy your token now").wait_for()
    return page.get_by_label("The token", exact=True).input_value()


def revoke(page: Page, name: str) -> None:
    page.goto("/settings/api-tokens/")
    page.get_by_role("link", name=f"Revoke {name}").click()
    page.get_by_role("button", name=f"Revoke “{name}”").click()
    page.get_by_text("The token was revoked.").wait_for()


def test_with_scripts(browser, site, alpha_user) -> None:
    with opened(browser, site, permissions=["clipboard-read", "clipboard-write"]) as page:
        sign_in(page, alpha_user.user.email)
        secret = create(page, "Claude")
        page.get_by_role("button", name="Copy token").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == secret
        status = page.locator("mcp-connect").get_by_role("status")
        expect(status).to_have_text("Waiting for the first request with this token…")
        page.get_by_label("Your AI client").select_option("Gemini CLI")
        page.get_by_role("button", name="Copy configuration").click()
        copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
        entry = copied["mcpServers"]["bottlecrm"]
        bearer = entry["headers"]["Authorization"].removeprefix("Bearer ")
        assert search(entry["httpUrl"], bearer)["total"] == 0
        expect(status).to_contain_text("Connected: the first request arrived")
        revoke(page, "Claude")
        with pytest.raises(Exception, match=r"401|[Uu]nauthorized|revoked|TaskGroup"):
            search(f"{site}/mcp", secret)


def test_without_scripts(browser, site, alpha_user) -> None:
    with opened(browser, site, java_script_enabled=False) as page:
        sign_in(page, alpha_user.user.email)
        secret = create(page, "Claude")
        page.get_by_text("VS Code, hosted").click()
        shown = page.locator("details[open] pre").inner_text()
        assert json.loads(shown)["servers"]["bottlecrm"]["url"] == f"{site}/mcp"
        assert secret in shown
        page.get_by_role("link", name="I have copied it").click()
        page.get_by_role("link", name="Claude", exact=True).click()
        expect(page.get_by_text("No MCP request with this token")).to_be_visible()
        assert not SECRET.search(page.content())
        search(f"{site}/mcp", secret)
        page.get_by_role("link", name="Check again").click()
        expect(page.get_by_text("Connected: the first MCP request")).to_be_visible()
        revoke(page, "Claude")
        with pytest.raises(Exception, match=r"401|[Uu]nauthorized|revoked|TaskGroup"):
            search(f"{site}/mcp", secret)


def test_last_refusal_is_shown(browser, site, alpha_user, alpha_admin) -> None:
    with opened(browser, site) as page:
        sign_in(page, alpha_user.user.email)
        secret = create(page, "Claude")
        change_policy(alpha_admin, agents="off")
        httpx2.post(f"{site}/mcp", json={}, headers={"Authorization": f"Bearer {secret}"})
        status = page.locator("mcp-connect").get_by_role("status")
        expect(status).to_contain_text("refused: Your organisation does not allow")


def test_each_client_and_way(browser, site, alpha_user, settings) -> None:
    with opened(browser, site) as page:
        sign_in(page, alpha_user.user.email)
        secret = create(page, "Claude")
        clients = page.get_by_label("Your AI client")
        for value in clients.locator("option").evaluate_all("each => each.map(o => o.value)"):
            clients.select_option(value)
            for way in ("Hosted", "Local"):
                if value == "curl":
                    # It has no local way, so there is nothing to choose.
                    expect(page.get_by_label(way, exact=True)).to_be_hidden()
                else:
                    page.get_by_label(way, exact=True).check()
                assert secret in page.locator("mcp-connect pre:visible").inner_text()
        clients.select_option("cursor")
        link = page.get_by_role("link", name="Install in Cursor").get_attribute("href")
        assert link.startswith("cursor://")
        assert secret not in link
        # Where no local server is offered, there is no way to choose.
        settings.PAT_TOKENS_LOCAL_PACKAGE = ""
        create(page, "Cursor")
        expect(page.get_by_label("Your AI client")).to_be_visible()
        expect(page.get_by_label("Hosted", exact=True)).to_have_count(0)
        expect(page.get_by_text("Hosted: your client talks")).to_have_count(0)


def test_reload_shows_no_secret_and_makes_no_second_token(browser, site, alpha_user) -> None:
    with opened(browser, site) as page:
        sign_in(page, alpha_user.user.email)
        secret = create(page, "Claude")
        page.reload()
        page.get_by_role("heading", name="Claude").wait_for()
        assert secret not in page.content()
        page.go_back()
        assert secret not in page.content()
    with in_organisation(alpha_user.org_id):
        assert Token.objects.count() == 1


def test_choices_show_what_they_need(browser, site, alpha_user) -> None:
    with opened(browser, site) as page:
        sign_in(page, alpha_user.user.email)
        page.get_by_role("link", name="New token").click()
        expect(page.get_by_label("Cases and solutions")).to_be_hidden()
        page.get_by_label("Chosen records only").check()
        expect(page.get_by_label("Cases and solutions")).to_be_visible()
        expect(page.get_by_label("Date", exact=True)).to_be_hidden()
        page.get_by_label("Expires", exact=True).select_option("on a date")
        expect(page.get_by_label("Date", exact=True)).to_be_visible()


def test_by_keyboard_alone(browser, site, alpha_user) -> None:
    with opened(browser, site) as page:
        sign_in(page, alpha_user.user.email)
        page.get_by_role("link", name="New token").press("Enter")
        page.get_by_role("heading", name="New token").wait_for()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "name":
                break
        page.keyboard.type("Claude")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Copy your token now").wait_for()


def test_element_with_an_api_that_wants_a_header(browser, site, api, alpha_user) -> None:
    """As in a front end that signs in with an access token and puts the element into its page."""
    header = api(alpha_user)._credentials["HTTP_AUTHORIZATION"]
    with opened(browser, site) as page:
        page.goto("/sign-in/")
        page.evaluate(
            """([header]) => {
                const element = document.createElement("mcp-connect");
                element.setAttribute("src", "/api/profile/tokens/connect/");
                element.request = (url) => fetch(url, {headers: {Authorization: header}});
                element.token = "bcrm_pat_mine";
                document.querySelector("main").append(element);
            }""",
            [header],
        )
        shown = page.locator("mcp-connect pre:visible")
        expect(shown).to_contain_text("Bearer bcrm_pat_mine")
        assert f"{site}/mcp" in shown.inner_text()


def test_log_is_narrowed_and_paged_without_scripts(
    browser, site, alpha_admin, alpha_user, issue
) -> None:
    tokens = [issue(owner)[0] for owner in (alpha_admin, alpha_user)]
    for token in tokens:
        for _ in range(101):
            record(Event.Kind.WRITE, org_id=token.org_id, by=token.owner, token=token, tool="t")
    with opened(browser, site, java_script_enabled=False, accept_downloads=True) as page:
        sign_in(page, alpha_admin.user.email)
        page.get_by_role("link", name="Events").click()
        expect(page.get_by_text("202 entries.")).to_be_visible()
        page.get_by_label("Person").fill(alpha_user.user.email)
        page.get_by_label("What").select_option("Records changed, or tried to be")
        page.get_by_label("From").fill("2026-01-01")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_text("101 entries.")).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(25)
        expect(page.get_by_label("What")).to_have_value("write")
        for _ in range(4):
            page.get_by_role("link", name="Older").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download as CSV").click()
        exported = Path(download.value.path()).read_text()
        assert exported.count(alpha_user.user.email) == 101
        assert alpha_admin.user.email not in exported
        page.get_by_role("link", name=alpha_user.user.email).first.click()
        expect(page.get_by_text("101 entries.")).to_be_visible()
        page.get_by_role("link", name="Show all").click()
        expect(page.get_by_text("202 entries.")).to_be_visible()


def test_organisation_is_narrowed_without_scripts(
    browser, site, alpha_admin, alpha_user, issue
) -> None:
    issue(alpha_admin, name="Mine")
    issue(alpha_user, name="Theirs")
    with opened(browser, site, java_script_enabled=False) as page:
        sign_in(page, alpha_admin.user.email)
        page.get_by_role("link", name="Organisation").click()
        page.get_by_label("Person").fill(alpha_user.user.email)
        page.get_by_label("State").select_option("Live")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_role("link", name="Events of Theirs").click()
        expect(page.get_by_text("0 entries.")).to_be_visible()


def furnish(admin, user) -> Token:
    """Tokens in every state, for the pictures; the one to look at."""
    wide = ["*:read", "*:write"]
    token, _ = create_token(admin, name="Claude on my laptop", scopes=wide, expires_at=None)
    chosen = scopes_for("entities", {"leads": "write", "tasks": "read"})
    create_token(user, name="Cursor", scopes=chosen, expires_at=None)
    old, _ = create_token(admin, name="Trial of last spring", scopes=["*:read"], expires_at=None)
    soon = timezone.now() + timedelta(days=3)
    create_token(admin, name="x" * 255, scopes=["*:read"], expires_at=soon, note="For the month.")
    paused, _ = create_token(admin, name="Nightly export", scopes=["*:read"], expires_at=soon)
    pause(paused)
    today = datetime.now(UTC).date()
    with in_organisation(admin.org_id):
        old.revoke(by=admin.user.email)
        for number in range(0, 28, 3):
            DailyUse.objects.create(
                token=token,
                org_id=admin.org_id,
                day=today - timedelta(days=number),
                minutes=5 + 7 * number % 60,
            )
    for outcome in ("done", "insufficient_scope"):
        facts: Json = {"tool": "crm_update", "entity": "opportunities", "outcome": outcome}
        facts |= {"detail": "stage, amount", "record_id": str(token.pk), "address": "203.0.113.7"}
        record(Event.Kind.WRITE, org_id=admin.org_id, by=admin, token=token, **facts)
    furnish_calls(admin, token)
    change_policy(admin, max_lifetime_days=180)
    return token


def furnish_calls(admin, token) -> None:
    facts = {
        "org_id": admin.org_id,
        "actor_id": str(admin.pk),
        "actor": admin.user.email,
        "token_id": token.pk,
        "token_name": token.name,
        "client": "claude-code",
        "client_version": "2.1.0",
    }
    kinds = (
        {"tool": "crm_search", "entity": "leads", "records": 20, "fields": "assigned_to, status"},
        {"tool": "crm_get", "entity": "accounts", "records": 1, "record_id": str(token.pk)},
        {"tool": "crm_update", "entity": "tasks", "records": 12, "fields": "status"},
        {"tool": "crm_delete", "entity": "leads", "outcome": "preview"},
        {"tool": "crm_delete", "entity": "leads", "outcome": "refused", "code": "limit_reached"},
        {"tool": "crm_summarize", "entity": "invoices", "outcome": "error", "code": "timeout"},
    )
    now = timezone.now()
    with in_organisation(admin.org_id):
        Call.objects.bulk_create(
            Call(**{**facts, "outcome": "ok", "ms": 9 + day, "created_at": moment, **kind})
            for day in range(30)
            for number, kind in enumerate(kinds * (1 + day * 5 % 7))
            for moment in [now - timedelta(days=day, minutes=number)]
        )


def test_looks(browser, site, alpha_admin, alpha_user) -> None:
    token = furnish(alpha_admin, alpha_user)
    home = "/settings/api-tokens/"
    pages = {
        "new": "new/",
        "token": f"{token.pk}/",
        "organisation": "organisation/",
        "policy": "organisation/policy/",
        "events": "organisation/events/",
        "calls": "organisation/calls/?limit=8",
    }
    with opened(browser, site) as page:
        sign_in(page, alpha_admin.user.email)
        shoot(page, "tokens")
        page.emulate_media(media="print")
        assert_looks(page)
        picture(page, "tokens-print.png", full_page=True)
        page.emulate_media(media="screen")
        for name, path in pages.items():
            page.goto(home + path)
            shoot(page, name)
        # The last tab, on a phone.
        expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
        expect(page.locator(".ends small")).to_have_count(2)
        create(page, "Claude Desktop")
        page.locator("mcp-connect pre:visible").wait_for()
        hide_secret(page)
        shoot(page, "created")


def test_looks_of_questions_and_refusals(browser, site, alpha_admin, alpha_user) -> None:
    token = furnish(alpha_admin, alpha_user)
    home = "/settings/api-tokens/"
    pages = {
        "stop": "organisation/stop/",
        "rotate": f"{token.pk}/rotate/",
        "edit": f"{token.pk}/edit/",
        "revoke": f"{token.pk}/revoke/",
        "revoke-all": "organisation/revoke/",
        "token-of-organisation": f"organisation/{token.pk}/",
        "connections": "connections/",
    }
    with opened(browser, site) as page:
        sign_in(page, alpha_admin.user.email)
        for name, path in pages.items():
            page.goto(home + path)
            shoot(page, name)
        change_policy(alpha_admin, agents="off")
        for name in ("", "new/"):
            page.goto(home + name)
            shoot(page, f"off{name[:3]}")


def test_faults_are_beside_their_fields(browser, site, alpha_user) -> None:
    with opened(browser, site, refusals=True) as page:
        sign_in(page, alpha_user.user.email)
        page.goto("/settings/api-tokens/new/")
        page.get_by_label("Expires", exact=True).select_option("date")
        page.get_by_role("button", name="Create token").click()
        page.get_by_text("Choose a date.").wait_for()
        for label, fault in (("Name", "Give it a name"), ("Date", "Choose a date.")):
            field = page.get_by_label(label, exact=True)
            expect(field).to_have_attribute("aria-invalid", "true")
            described = (field.get_attribute("aria-describedby") or "").split()
            said = [page.locator(f"#{each}").inner_text() for each in described]
            assert any(fault in each for each in said)
        shoot(page, "faults")
        page.goto("/settings/api-tokens/nowhere/")
        page.get_by_role("link", name="Back to your tokens").wait_for()
        shoot(page, "not-found")
        page.goto("/settings/api-tokens/organisation/")
        page.get_by_role("heading", name="For administrators").wait_for()
        shoot(page, "for-administrators")


def test_many_tokens_on_any_screen(browser, site, alpha_admin, issue) -> None:
    with in_organisation(alpha_admin.org_id):
        Token.objects.bulk_create(
            Token(
                owner=alpha_admin,
                org_id=alpha_admin.org_id,
                name=f"Script {number}",
                digest=f"{number:064}",
                prefix=f"bcrm_pat_{number:05}",
                scopes=["*:read"],
            )
            for number in range(10_000)
        )
    with opened(browser, site) as page:
        sign_in(page, alpha_admin.user.email)
        for width in (320, 820, 1600):
            page.set_viewport_size({"width": width, "height": 844})
            for path in ("", "organisation/", "organisation/policy/", "new/"):
                page.goto(f"/settings/api-tokens/{path}")
                assert_looks(page)
                assert page.evaluate("document.documentElement.scrollHeight") < 8_000
        page.goto("/settings/api-tokens/organisation/")
        page.get_by_label("Name").fill("Script 9876")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("tbody tr")).to_have_count(1)


def test_paused_edited_and_resumed(browser, site, alpha_user, issue) -> None:
    token, _ = issue(alpha_user, name="Claude")
    with opened(browser, site, java_script_enabled=False) as page:
        sign_in(page, alpha_user.user.email)
        page.get_by_role("link", name="Claude", exact=True).click()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("status")).to_contain_text("The token is paused.")
        expect(page.get_by_role("link", name="Rotate")).to_have_count(0)
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Name", exact=True).fill("Claude at home")
        page.get_by_label("Note").fill("In the keychain")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Claude at home")).to_be_visible()
        expect(page.get_by_text("In the keychain")).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("status")).to_contain_text("works again")
        page.get_by_role("link", name="Rotate").click()
        page.get_by_label("The old secret ends").select_option("At once")
        page.get_by_role("button", name="Rotate “Claude at home”").click()
        page.get_by_role("heading", name="Copy your token now").wait_for()
    with in_organisation(token.org_id):
        token.refresh_from_db()
    assert token.previous_expires_at <= timezone.now()


def shoot(page: Page, name: str) -> None:
    for width, size in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(size)
        # Colours that still change would be judged as they are in between.
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        assert_looks(page)
        keep(page, f"{name}-{width}-light.png")
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        assert_looks(page, rules=OF_COLOURS)
        keep(page, f"{name}-{width}-dark.png")


def keep(page: Page, name: str) -> None:
    picture(page, name, full_page=True, animations="disabled")


def hide_secret(page: Page) -> None:
    """A picture with a token in it would be found by every scanner."""
    page.evaluate(
        """() => {
            const hidden = (text) => text.replace(/bcrm_pat_[0-9A-Za-z]+/g, "bcrm_pat_EXAMPLE…");
            const field = document.getElementById("secret");
            field.value = hidden(field.value);
            const code = document.querySelector("mcp-connect").shadowRoot.querySelector("code");
            code.textContent = hidden(code.textContent);
        }"""
    )
