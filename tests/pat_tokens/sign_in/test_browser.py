"""The whole way in Chromium: what a client sends, sign-in, organisation, consent, and back."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from tests.bottlecrm_mcp.hosted.oauth.flow import Flow
from tests.pat_tokens.pages.browser import assert_looks, chromium, opened, picture, serving
from tests.pat_tokens.sign_in.conftest import URL, mailed_code
from tests.programs import needs_chromium

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs_chromium,
]


WIDTHS = {"desktop": 1280, "phone": 390}


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def site(settings: Any, transactional_db: None) -> Iterator[str]:
    with serving() as url:
        settings.PAT_TOKENS_ISSUER = url
        yield url


def asked_by_client(site: str) -> str:
    """Where a client sends the browser; it comes back to the page of tokens."""
    back = f"{site}{URL}"
    body = {"client_name": "Desk", "redirect_uris": [back]}
    client_id = httpx2.post(f"{site}/oauth/register", json=body).json()["client_id"]
    asked = Flow(None, client_id, back).asked(resource=f"{site}/mcp")
    return str(httpx2.URL(f"{site}/oauth/authorize", params=asked))


def looks(page: Page, name: str, width: str, scripts: bool) -> None:
    if scripts:
        assert_looks(page)
        picture(page, f"sign-in-{name}-{width}-light.png", full_page=True, animations="disabled")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("width", WIDTHS)
def test_whole_way(chrome, site, in_both, beta_user, scripts, width) -> None:
    size = {"width": WIDTHS[width], "height": 844}
    with opened(chrome, site, java_script_enabled=scripts, viewport=size) as page:
        page.goto(asked_by_client(site))
        looks(page, "address", width, scripts)
        page.get_by_label("E-mail address").fill(in_both.user.email)
        page.get_by_role("button", name="Send the code").click()
        page.get_by_role("heading", name="Enter the code").wait_for()
        looks(page, "code", width, scripts)
        # A phone may load the page again while its owner looks into the mail.
        page.reload()
        page.get_by_label("Code").fill(mailed_code())
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Choose an organisation").wait_for()
        looks(page, "organisation", width, scripts)
        page.get_by_role("button", name="Beta").click()
        page.get_by_role("heading", name="Connect “Desk”?").wait_for()
        assert page.get_by_text("Alpha User in Beta").is_visible()
        looks(page, "consent", width, scripts)
        # In the wrong organisation, and back to the same request.
        page.get_by_role("link", name="Switch organisation").click()
        page.get_by_role("button", name="Alpha").click()
        page.get_by_role("heading", name="Connect “Desk”?").wait_for()
        with page.expect_request(f"{site}{URL}?*code=*") as led:
            page.get_by_role("button", name="Allow").click()
        assert "code=bcrm_oac_" in led.value.url
        page.get_by_text("Alpha User in Alpha").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Sign in").wait_for()
        page.goto(URL)
        page.get_by_role("heading", name="Sign in").wait_for()
