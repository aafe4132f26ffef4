"""The demo's start page in Chromium, with the tools behind it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from demo_crm.credentials import Credentials
from demo_crm.models import Case, Lead, Profile
from demo_crm.start_page import COUNTED, QUESTIONS, counts
from pat_tokens.services.stop import stop_agents
from tests.pat_tokens.pages.browser import (
    EVERY_RULE,
    OF_COLOURS,
    assert_looks,
    chromium,
    opened,
    picture,
    serving,
)
from tests.programs import needs_chromium
from tests.sample_data import sample_data

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("settings.demo_urls"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def people(transactional_db, settings, tmp_path):
    credentials = Credentials(tmp_path, "http://127.0.0.1:8000")
    settings.DEMO_PEOPLE = credentials.write(sample_data())["people"]
    credentials.close()
    return settings.DEMO_PEOPLE


@pytest.fixture
def site(people) -> Iterator[str]:
    with serving() as url:
        yield url


def ask(page: Page, question: str) -> None:
    page.get_by_role("button", name=question).click()
    expect(page.locator("button.main", has_text="Call the tool")).to_be_enabled()


def test_counts_are_those_of_the_tools(people, tools_of, org_context):
    """Also where lists leave records out."""
    org = Profile.objects.get(user__email=people[0]["email"]).org
    with org_context(org):
        Lead.objects.filter(pk__in=Lead.objects.values("pk")[:2]).update(status="converted")
        Case.objects.filter(pk__in=Case.objects.values("pk")[:1]).update(status="Duplicate")
    for person in people:
        profile = Profile.objects.select_related("user", "org").get(user__email=person["email"])
        call = tools_of(profile)
        totals = {name: call("crm_search", entity=name, limit=1)["total"] for name in COUNTED}
        assert totals == counts(profile), person["email"]


@needs_chromium
@pytest.mark.parametrize("width", [320, 390, 1280, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_looks(browser, site, width, scheme):
    rules = EVERY_RULE if scheme == "light" else OF_COLOURS
    size = ViewportSize(width=width, height=900)
    with opened(browser, site, viewport=size, color_scheme=scheme) as page:
        page.goto("/")
        page.locator(".answer table").wait_for()
        assert_looks(page, rules=rules)
        picture(page, f"start-{width}-{scheme}.png", full_page=True)
        ask(page, QUESTIONS[1]["ask"])
        page.get_by_text("The answer, as an assistant gets it").click()
        if (width, scheme) == (1280, "light"):
            picture(page.locator("#try"), "console.png")
        ask(page, QUESTIONS[4]["ask"])
        page.locator(".waits").wait_for()
        page.get_by_text("The answer, as an assistant gets it").click()
        page.get_by_text("Other arguments").click()
        assert_looks(page, rules=rules)


@needs_chromium
def test_what_a_person_may_see(browser, site):
    with opened(browser, site) as page:
        page.goto("/")
        page.get_by_role("button", name="Sign in as Sam").click()
        expect(page.get_by_role("heading", name="Try the tools as Sam")).to_be_visible()
        ask(page, "Close the case")
        expect(page.locator(".answer .failed")).to_contain_text("Wrong part delivered")
        page.locator(".you a").click()
        expect(page.get_by_role("heading", name="Your tokens")).to_be_visible()


@needs_chromium
@pytest.mark.parametrize("question", QUESTIONS, ids=[each["ask"] for each in QUESTIONS])
def test_questions(browser, site, question):
    with opened(browser, site) as page:
        page.goto("/")
        expect(page.locator(".people .current")).to_contain_text("You are signed in as Avery.")
        ask(page, question["ask"])
        expect(page.locator(".answer .measure")).to_contain_text(question["tool"])
        expect(page.locator(".answer table")).to_be_visible()


@needs_chromium
def test_a_confirmation(browser, site):
    with opened(browser, site) as page:
        page.goto("/")
        ask(page, "Close the case")
        page.get_by_role("button", name="Yes, do it").click()
        expect(page.locator(".waits")).to_have_count(0)
        expect(page.locator(".answer table")).to_contain_text("Closed")


@needs_chromium
def test_answers_are_in_words(browser, site):
    with opened(browser, site) as page:
        page.goto("/")
        ask(page, "Which invoices are overdue?")
        row = page.locator(".answer tbody tr", has_text="Partially paid")
        expect(row).to_contain_text("$4,500.00")
        expect(row).not_to_contain_text(re.compile(r"\d{4}-\d{2}-\d{2}|USD"))
        ask(page, "Close the case")
        preview = page.locator(".waits table")
        for said in ("This will", "Mail goes to", "ivan.petrov@", "change the status again"):
            expect(preview).to_contain_text(said)
        expect(preview).not_to_contain_text(re.compile(r"crm_|_|\d{4}-\d{2}-\d{2}"))
        page.get_by_text("The answer, as an assistant gets it").click()
        expect(page.locator("details[open] pre")).to_contain_text('"way_back": "crm_update of the')


@needs_chromium
def test_refused_before_the_tools(browser, site, people):
    admin = Profile.objects.get(user__email=people[0]["email"], is_active=True)
    with opened(browser, site, refusals=True) as page:
        page.goto("/")
        page.locator(".answer table").wait_for()
        stop_agents(admin, "A laptop is lost")
        page.get_by_role("button", name=QUESTIONS[1]["ask"]).click()
        expect(page.locator(".answer")).to_contain_text("“A laptop is lost”")


@needs_chromium
def test_answer_of_another_tool_does_not_stay(browser, site):
    with opened(browser, site) as page:
        page.goto("/")
        ask(page, "What is on my desk today?")
        page.get_by_label("Tool", exact=True).select_option("crm_get")
        expect(page.locator(".answer")).to_have_text("Fill in the form, and call the tool.")
        expect(page.locator("[aria-pressed=true]")).to_have_count(0)


@needs_chromium
def test_a_form_that_is_filled_in_wrong(browser, site):
    with opened(browser, site) as page:
        page.goto("/")
        page.get_by_label("Tool", exact=True).select_option("crm_action")
        page.get_by_role("button", name="Call the tool").click()
        expect(page.locator(".wrong")).to_have_text("Fill this in.")
        expect(page.get_by_label("action", exact=True)).to_be_focused()


def test_sign_in_by_one_click_leads_on(client, people):
    there = {"email": people[1]["email"], "next": "/settings/api-tokens/connections/"}
    assert client.get("/sign-in/").content.count(b"/become/") == len(people)
    assert client.post("/become/", there).url == there["next"]
    assert client.get(there["next"]).status_code == 200
    elsewhere = {**there, "next": "https://elsewhere.example/"}
    assert client.post("/become/", elsewhere).url == "/#try"
    assert client.post("/become/", {"email": "nobody@example.com"}).status_code == 404
    assert client.get("/become/").status_code == 405


@pytest.mark.urls("settings.urls")
def test_only_where_the_demo_is_run(client, people):
    assert client.get("/").status_code == 302
    assert client.post("/become/", {"email": people[0]["email"]}).status_code == 404
