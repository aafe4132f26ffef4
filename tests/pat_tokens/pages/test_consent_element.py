"""<mcp-consent> in Chromium, in a front end that signs in with access tokens."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from pat_tokens.models import AuthorizationRequest, Connection
from pat_tokens.oauth.requests import keep_request
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import change_policy
from tests.pat_tokens.pages.browser import assert_looks, chromium, opened, serving
from tests.programs import needs_chromium

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]

FRONT_END = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Front end</title>
<link rel="icon" href="data:,"><script src="/static/pat_tokens/mcp-consent.js" defer></script>
<main>%s</main></html>"""
FACTS = (
    "claude.ai vouches",
    "You go back to\na program on this computer",
    "Alpha User (",
    "In\nAlpha",
    "It asks for\nRead and write",
)
FIELD = '<mcp-consent name="decision"></mcp-consent>'
# Fetched with the person's access token, as a front end in the browser does it.
BY_HEADER = """([src, header]) => {
    window.header = header;
    const element = document.createElement("mcp-consent");
    element.setAttribute("src", src);
    element.setAttribute("switch-href", "/org");
    element.request = (url, options) => fetch(
        url, {...options, headers: {...options.headers, Authorization: window.header}}
    );
    document.querySelector("main").append(element);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def site(browser, settings, transactional_db) -> Iterator[str]:
    with serving() as url:
        settings.PAT_TOKENS_ISSUER = url
        yield url


@pytest.fixture
def header(api) -> Callable[[Any], str]:
    return lambda owner: api(owner)._credentials["HTTP_AUTHORIZATION"]


def ask(site: str, **changes: Any) -> AuthorizationRequest:
    asked = {
        "client_id": "https://claude.ai/client.json",
        "client_name": "Claude <b>5</b>",
        "client_host": "claude.ai",
        "redirect_uri": f"{site}/callback",
        "names_redirect": True,
        "code_challenge": "x" * 43,
        "resource": f"{site}/mcp",
        "scopes": ["*:read", "*:write"],
        "state": "xyz",
    }
    return keep_request(**{**asked, **changes})


def path_of(asked: AuthorizationRequest) -> str:
    return f"/api/profile/tokens/authorizations/{asked.pk}/"


def open_front_end(page: Page, site: str, main: str = "") -> None:
    html = FRONT_END % main
    page.route(
        f"{site}/front-end/", lambda route: route.fulfill(body=html, content_type="text/html")
    )
    page.route(f"{site}/callback?*", lambda route: route.fulfill(body="Back"))
    page.goto("/front-end/")


def show(page: Page, path: str, header: str) -> None:
    page.evaluate(BY_HEADER, [path, header])


def test_decision_with_an_access_token(browser, site, header, alpha_user) -> None:
    with opened(browser, site) as page:
        open_front_end(page, site)
        show(page, path_of(ask(site)), header(alpha_user))
        # The name is text: what looks like markup in it is not.
        page.get_by_role("heading", name="Connect “Claude <b>5</b>”?").wait_for()
        shown = page.locator("mcp-consent dl").inner_text()
        for fact in FACTS:
            assert fact in shown.replace("\n\n", "\n"), shown
        assert alpha_user.user.email in shown
        assert "Allow it only if you have just started it yourself" in shown
        expect(page.get_by_text("still wait for your yes")).to_be_visible()
        expect(page.get_by_role("link", name="Switch organisation")).to_have_attribute(
            "href", "/org"
        )
        expect(page.get_by_label("Read only")).to_be_checked()
        expect(page.get_by_label("For how long")).to_have_value("90")
        expect(page.get_by_label("Leads")).to_be_hidden()
        page.get_by_label("Chosen records only").check()
        assert_looks(page)
        page.get_by_label("Leads").select_option("Read and write")
        page.get_by_label("For how long").select_option("30 days")
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url(f"{site}/callback?*")
        answer = parse_qs(urlsplit(page.url).query)
        assert answer["code"][0].startswith("bcrm_oac_")
        assert (answer["state"], answer["iss"]) == (["xyz"], [site])
    with in_organisation(alpha_user.org_id):
        connection = Connection.objects.get(owner=alpha_user)
    assert {"leads:read", "leads:write"} <= set(connection.scopes)
    lifetime = connection.expires_at - connection.created_at
    assert round(lifetime.total_seconds() / 86_400) == 30


def test_denial(browser, site, header, alpha_user) -> None:
    with opened(browser, site) as page:
        open_front_end(page, site)
        show(page, path_of(ask(site, client_host="")), header(alpha_user))
        expect(page.get_by_text("Anybody can use this name")).to_be_visible()
        page.get_by_role("button", name="Deny").click()
        page.wait_for_url(f"{site}/callback?*error=access_denied*")
    with in_organisation(alpha_user.org_id):
        assert not Connection.objects.exists()


def test_what_the_policy_forbids_can_not_be_allowed(
    browser, site, header, alpha_user, alpha_admin
) -> None:
    change_policy(alpha_admin, clients="none")
    with opened(browser, site) as page:
        open_front_end(page, site)
        show(page, path_of(ask(site)), header(alpha_user))
        expect(page.get_by_role("alert")).to_contain_text("does not allow clients")
        expect(page.get_by_role("button", name="Allow")).to_have_count(0)
        page.get_by_role("button", name="Back to Claude").click()
        page.wait_for_url(f"{site}/callback?*error=access_denied*")


def test_switched_organisation_is_shown_before_it_is_allowed(
    browser, site, header, alpha_user, beta_user
) -> None:
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        open_front_end(page, site)
        show(page, path_of(ask(site)), header(alpha_user))
        page.get_by_role("button", name="Allow").wait_for()
        # As another tab does it.
        page.evaluate("header => { window.header = header; }", header(beta_user))
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("alert")).to_contain_text("signed in as somebody else now")
        expect(page.get_by_text("Beta User (")).to_be_visible()
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url(f"{site}/callback?*code=*")
    with in_organisation(beta_user.org_id):
        assert Connection.objects.filter(owner=beta_user).exists()


def test_request_that_is_over(browser, site, header, alpha_user) -> None:
    path = path_of(ask(site))
    AuthorizationRequest.objects.all().delete()
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        open_front_end(page, site)
        show(page, path, header(alpha_user))
        expect(page.get_by_role("alert")).to_contain_text("not open any more")


def test_field_of_a_form(browser, site, api, alpha_user) -> None:
    """Where the access token stays on the server, which passes the facts on and gets the form."""
    asked = ask(site)
    facts = api(alpha_user).get(path_of(asked)).json()
    form = (
        '<form method="get" action="/callback"><mcp-consent name="decision"></mcp-consent></form>'
    )
    with opened(browser, site) as page:
        open_front_end(page, site, form)
        page.evaluate(
            """facts => {
                const element = document.querySelector("mcp-consent");
                element.error = "Refused before.";
                element.data = facts;
            }""",
            facts,
        )
        expect(page.get_by_role("alert")).to_have_text("Refused before.")
        page.get_by_label("Read and write", exact=True).check()
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url(f"{site}/callback?*")
        [decision] = parse_qs(urlsplit(page.url).query)["decision"]
    owner = str(alpha_user.pk)
    assert json.loads(decision) == {
        "decision": "allow",
        "owner": owner,
        "access": "read_write",
        "days": 90,
    }
    answer = api(alpha_user).post(path_of(asked), json.loads(decision), format="json")
    assert answer.status_code == 200, answer.json()


@pytest.mark.parametrize("beforehand", [True, False])
def test_earlier_connection_is_ended_where_its_box_is_ticked(
    browser, site, api, alpha_user, beforehand
) -> None:
    facts = api(alpha_user).get(path_of(ask(site))).json()
    assert facts["default_replaces"] is None
    with opened(browser, site) as page:
        open_front_end(page, site, f'<form method="get" action="/callback">{FIELD}</form>')
        show_facts = "facts => { document.querySelector('mcp-consent').data = facts; }"
        page.evaluate(show_facts, facts)
        page.get_by_role("button", name="Allow").wait_for()
        box = page.get_by_role("checkbox")
        expect(box).to_have_count(0)
        page.evaluate(show_facts, {**facts, "default_replaces": beforehand})
        expect(box).to_be_checked(checked=beforehand)
        assert_looks(page)
        box.set_checked(not beforehand)
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url(f"{site}/callback?*")
        [decision] = parse_qs(urlsplit(page.url).query)["decision"]
    assert json.loads(decision)["replaces"] is not beforehand


def test_nothing_can_be_decided_in_a_frame(browser, site, api, alpha_user) -> None:
    facts = api(alpha_user).get(path_of(ask(site))).json()
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        page.route(
            "https://evil.example/",
            lambda route: route.fulfill(
                body=f'<iframe src="{site}/front-end/"></iframe>', content_type="text/html"
            ),
        )
        page.route(
            f"{site}/front-end/",
            lambda route: route.fulfill(body=FRONT_END % FIELD, content_type="text/html"),
        )
        page.goto("https://evil.example/")
        [frame] = [each for each in page.frames if each.url.startswith(site)]
        frame.wait_for_function("customElements.get('mcp-consent') !== undefined")
        frame.evaluate("facts => { document.querySelector('mcp-consent').data = facts; }", facts)
        expect(frame.get_by_role("alert")).to_contain_text("can't be used inside of another one")
        expect(frame.get_by_role("button")).to_have_count(0)
