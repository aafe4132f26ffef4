"""Cards in a host: its own bridge, its sandbox and its policy, in front of a real server."""

import json
import re
from collections.abc import Iterator

import pytest
from django.db import models
from playwright.sync_api import ViewportSize, expect

from tests.bottlecrm_mcp.population import populate
from tests.bottlecrm_mcp.protocol.cards.bridge import Host, hosting, needs_bridge
from tests.kept import kept
from tests.pat_tokens.pages.browser import chromium, picture, serving
from tests.programs import needs_chromium
from tests.sample_data import sample_data

pytestmark = [pytest.mark.django_db(transaction=True), needs_chromium, needs_bridge]

PHONE = ViewportSize(width=390, height=844)
MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script><a href="javascript:alert(3)">x'
AS_GERMAN = """at => new Intl.DateTimeFormat(
    "de-DE", {dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Kolkata"}
).format(new Date(at))"""
GERMAN = {"theme": "light", "locale": "de-DE", "timeZone": "Asia/Kolkata"}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    complaints: list[str] = []
    with (
        chromium() as browser,
        serving() as site,
        hosting(browser, site, complaints, viewport=PHONE) as host,
    ):
        yield host
    assert complaints == []


@pytest.fixture(autouse=True)
def _web_address(settings):
    settings.BOTTLECRM_MCP = {**settings.BOTTLECRM_MCP, "WEB_ADDRESS": "https://crm.example"}


@pytest.fixture
def alpha(two_orgs):
    return kept(populate, two_orgs.alpha_admin, two_orgs.alpha_user)


def show(host: Host, name: str) -> None:
    host.assert_looks()
    picture(host.page.locator("iframe"), name)


@pytest.fixture
def demo(transactional_db, token_for) -> str:
    """The token of an administrator of the demo's first organisation."""
    return token_for(sample_data()[0])


def test_looks(host, demo):
    """A picture of each kind, as it is in the docs."""
    card = host.card
    host.connect(demo, theme="light", locale="en-US", timeZone="America/New_York")
    host.call("crm_search", entity="my_day", limit=5)
    expect(card.get_by_role("listitem")).to_have_count(5)
    show(host, "card-list.png")
    case = {"entity": "cases", "id": "Wrong part delivered"}
    host.call("crm_update", **case, data={"priority": "Urgent"})
    expect(card.locator("dd", has_text="is now Urgent")).to_be_visible()
    show(host, "card-record.png")
    host.call("crm_action", **case, action="close", params={"closed_on": "today"})
    expect(card.get_by_role("button", name="Yes, do this")).to_be_visible()
    expect(card.locator("body")).to_contain_text("change the status again; within half an hour")
    expect(card.locator("body")).not_to_contain_text("crm_")
    show(host, "card-confirmation.png")
    open_tasks = {"entity": "tasks", "filters": {"is_open": True}}
    host.call("crm_update", **open_tasks, data={"priority": "High"})
    expect(card.get_by_role("checkbox").first).to_be_checked()
    show(host, "card-several.png")
    measures = ["count", "sum:amount"]
    host.page.evaluate("context.theme = 'dark'")
    host.call("crm_summarize", entity="opportunities", group_by=["stage"], measures=measures)
    expect(card.get_by_role("row", name="Total")).to_contain_text("$")
    expect(card.get_by_role("table")).to_contain_text("Closed won")
    show(host, "card-chart.png")


def test_handshake_size_theme_and_end(host, alpha, token_for):
    host.connect(token_for(alpha.admin), **GERMAN)
    got = host.call("crm_get", entity="tasks", id=str(alpha.tasks[1].pk))
    expect(host.card.get_by_role("heading")).to_have_text(alpha.tasks[1].title)
    said = host.seen["said"]
    assert said[:2] == ["ui/initialize", "ui/notifications/initialized"]
    assert set(said[2:]) == {"ui/notifications/size-changed"}
    created = got["structuredContent"]["record"]["created_at"]
    expect(host.card.locator("body")).to_contain_text(host.page.evaluate(AS_GERMAN, created))
    before = host.asked("sizes")
    host.page.set_viewport_size({"width": 240, "height": 844})
    host.page.wait_for_function("seen.sizes.at(-1).width === 240")
    assert host.seen["sizes"][-1]["height"] > before["height"]
    host.page.set_viewport_size(PHONE)
    host.change(theme="dark", styles={"variables": {"--color-background-primary": "#123456"}})
    expect(host.card.locator("html")).to_have_css("background-color", "rgb(18, 52, 86)")
    expect(host.card.locator("html")).to_have_css("color-scheme", "dark")
    # The card answers, or this would not end.
    host.page.evaluate("close()")
    expect(host.page.locator("iframe")).to_have_count(0)


def test_several_records_by_their_names(host, alpha, token_for):
    """A contact's name is made of two fields; what does not matter is folded away."""
    host.connect(token_for(alpha.admin), **GERMAN)
    people = alpha.contacts[:2]
    ids = [*(str(each.pk) for each in people), "00000000-0000-4000-8000-000000000000"]
    host.call("crm_get", entity="contacts", ids=ids, include=["comments"])
    names = [f"{each.first_name} {each.last_name}".strip() for each in people]
    expect(host.card.get_by_role("heading", level=1)).to_have_text(names)
    expect(host.card.get_by_role("button", name=f"Open {names[1]} in the CRM")).to_be_visible()
    expect(host.card.locator("body")).to_contain_text("was not found")
    expect(host.card.locator("details")).to_have_count(2)
    assert host.card.locator("dd:visible").count() <= 10
    show(host, "card-records.png")


def test_list(host, alpha, token_for):
    host.connect(token_for(alpha.admin), **GERMAN)
    host.call("crm_search", entity="tasks", limit=4)
    card = host.card
    expect(card.get_by_role("heading")).to_have_text("Tasks (12)")
    expect(card.get_by_role("listitem")).to_have_count(4)
    box = card.get_by_role("checkbox", disabled=False).first
    name = box.get_attribute("aria-label")
    box.press("Space")
    expect(card.get_by_role("status")).to_have_text(name)
    expect(card.get_by_role("checkbox", name=name)).to_be_disabled()
    assert '"status":{"before"' in host.asked("remembered")
    card.get_by_role("button", name="Open ").first.click()
    assert host.asked("links").startswith("https://crm.example/tasks/")
    card.get_by_role("button", name="Next page").click()
    expect(card.get_by_role("status")).to_have_text("Records from 5 on.")
    expect(card.get_by_role("listitem")).to_have_count(4)


@pytest.mark.parametrize(("key", "left"), [("Yes, do this", 0), ("No", 1)])
def test_confirmation(host, alpha, token_for, org_context, key, left):
    task = alpha.tasks[1]
    host.connect(token_for(alpha.user), **GERMAN)
    host.call("crm_delete", entity="tasks", id=str(task.pk))
    card = host.card
    expect(card.get_by_role("heading", level=1)).to_contain_text("This will delete the task")
    expect(card.locator("dl").first).to_contain_text(task.title)
    card.get_by_role("button", name=key).press("Enter")
    expect(card.get_by_role("heading", level=1)).to_have_text(
        "Nothing was changed" if left else task.title
    )
    expect(card.get_by_role("button", name=key)).to_have_count(0)
    assert ("declined" if left else "deleted") in host.asked("remembered")
    with org_context(alpha.org):
        assert type(task).objects.filter(pk=task.pk).count() == left


def test_chart(host, alpha, token_for):
    host.connect(token_for(alpha.admin), **GERMAN)
    host.call("crm_summarize", entity="leads", group_by=["status"], filters={"is_open": True})
    card = host.card
    expect(card.locator("rect")).to_have_count(2)
    card.get_by_role("button", name="assigned").press("Enter")
    assert host.asked("messages").endswith('{"is_open":true,"status":"assigned"}')
    measures = ["count", "sum:amount"]
    host.call("crm_summarize", entity="opportunities", group_by=["stage"], measures=measures)
    # Of money, where it was asked for, too.
    expect(card.locator("svg text").first).to_contain_text(re.compile(r"[€$£]"))


def test_error(host, alpha, token_for):
    host.connect(token_for(alpha.admin), **GERMAN)
    host.call("crm_get", entity="leads", id="nobody of this name")
    expect(host.card.locator(".warning")).to_contain_text("nobody of this name")


def test_records_of_markup(host, alpha, token_for, org_context):
    """What is in a record is text, whatever it looks like."""
    lead = alpha.leads[1]
    with org_context(alpha.org):
        texts = {
            field.name: MARKUP[: field.max_length]
            for field in lead._meta.fields
            if isinstance(field, models.CharField | models.TextField) and not field.choices
        }
        type(lead).objects.filter(pk=lead.pk).update(**texts)
    host.connect(token_for(alpha.admin), **GERMAN)
    one = {"entity": "leads", "id": str(lead.pk)}
    for tool, arguments in (
        ("crm_search", {"entity": "leads"}),
        ("crm_get", {**one, "include": ["comments"]}),
        ("crm_update", {**one, "data": {"description": f"{MARKUP}!"}}),
        ("crm_action", {**one, "action": "convert"}),
        ("crm_delete", one),
        ("crm_summarize", {"entity": "leads", "group_by": ["company_name"]}),
    ):
        host.call(tool, **arguments)
        expect(host.card.locator("#card")).to_contain_text('<img src=x onerror="alert(1)">')
        assert host.card.locator("#card").locator("img, script, a, iframe").count() == 0, tool
    host.card.get_by_role("button", name="<img").click()
    # In the words of a filter, where a name can't pass for the person's own.
    assert host.asked("messages").endswith(
        json.dumps({"company_name": MARKUP}, separators=(",", ":"))
    )


def test_change_of_several(host, alpha, token_for, org_context):
    """What is unchecked is in no later preview, and is not changed."""
    mine = [alpha.tasks[at] for at in (1, 5, 7)]
    host.connect(token_for(alpha.user), **GERMAN)
    ids = [str(each.pk) for each in mine]
    host.call("crm_update", entity="tasks", ids=ids, data={"priority": "High", "title": "Same"})
    card = host.card
    expect(card.get_by_role("heading", level=1)).to_contain_text("3 tasks")
    expect(card.get_by_role("checkbox", checked=True)).to_have_count(3)
    assert "0" not in card.locator("#card").inner_text().splitlines()
    host.assert_looks()
    card.get_by_role("checkbox", name=mine[0].title).press("Space")
    card.get_by_role("button", name="Preview of 2").click()
    expect(card.get_by_role("heading", level=1)).to_contain_text("2 tasks")
    expect(card.get_by_role("checkbox", checked=True)).to_have_count(2)
    card.get_by_role("button", name="Yes, do this").click()
    expect(card.get_by_role("heading", level=1)).to_have_text("Tasks: 2 updated")
    with org_context(alpha.org):
        changed = type(mine[0]).objects.filter(title="Same").values_list("pk", flat=True)
        assert set(changed) == {each.pk for each in mine[1:]}
