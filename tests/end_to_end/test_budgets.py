"""Answers on records that are as long as records of a company get."""

import json
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command

from bottlecrm_mcp.catalogue.model import Field, Kind
from bottlecrm_mcp.tools import truncation
from bottlecrm_mcp.tools.truncation import MOST_CHARACTERS
from demo_crm.access.row_security import org_context
from demo_crm.models import Comment, Lead, Org
from tests.agent import Agent, text_of
from tests.bottlecrm_mcp import population

DESCRIPTION = (
    "The plant in Hamburg-Altona asked for two more packing robots, a maintenance contract for "
    "three years and a training of the night shift; its buyers want the offer before the board "
    "meets on Friday, and a visit."
)
NAMES = {
    "first_name": "Maximiliane",
    "last_name": "von Hohenstein",
    "company_name": "Hanseatic Precision Bearings",
    "organization": "Hanseatic Precision Bearings",
    "city": "Schwäbisch Gmünd",
    "invoice_number": "INV-2026-10-",
    "name": "Hanseatic Precision Bearings",
    "title": "Bearings overheat on the third shift",
    "invoice_title": "Maintenance of the packing robots",
}
NUMBERED = ("name", "title", "invoice_title", "invoice_number")


def long_text(field: Field, column: Any, org: Org, number: int) -> str:
    if field.name.endswith("country"):
        return "DE"
    if field.name.endswith("phone"):
        return f"+49 7171 {1000000 + number}"
    text = NAMES.get(field.name, DESCRIPTION)
    return f"{text} {number}" if field.name in NUMBERED else text[: column.max_length]


def two_people(made: SimpleNamespace, number: int) -> dict[str, list[Any]]:
    contacts = getattr(made, "contacts", [])[number : number + 2]
    return {
        "assigned_to": made.people[number % 2 : number % 2 + 1 + number % 2],
        "tags": made.tags,
        "teams": made.teams,
        "contacts": contacts,
    }


@pytest.fixture
def long_records(two_orgs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.setattr(population, "PER_ENTITY", 21)
    monkeypatch.setattr(population, "_many", two_people)
    monkeypatch.setitem(population.SCALARS, Kind.TEXT, long_text)
    return population.populate(two_orgs.alpha_admin, two_orgs.alpha_user)


def test_every_answer_is_within_its_budget(long_records: Any) -> None:
    output = StringIO()
    admin = long_records.admin
    try:
        call_command("mcp_budget", email=admin.user.email, org=admin.org.name, stdout=output)
    except SystemExit:
        pytest.fail(output.getvalue())
    assert "crm_search leads, 20 rows" in output.getvalue()


def test_nobody_to_measure_for(db: None) -> None:
    with pytest.raises(CommandError, match="is an active member"):
        call_command("mcp_budget", email="nobody@example.com", org="Alpha")


async def answer(agent: Agent, tool: str, **arguments: Any) -> tuple[int, Any]:
    """The characters of an answer, and the answer."""
    text = text_of(await agent.client.call_tool(tool, arguments))
    return len(text), json.loads(text)


def test_fifty_rows_of_every_field_say_where_to_go_on(live: Any, long_records: Any) -> None:
    async def steps(agent: Agent) -> None:
        fields = ["title", "description", "first_name", "last_name", "company_name", "job_title"]
        fields += ["website", "custom_fields", "assigned_to", "tags", "teams", "contacts", "city"]
        every = {"entity": "leads", "fields": fields, "limit": 50}
        length, page = await answer(agent, "crm_search", **every)
        assert length <= MOST_CHARACTERS
        assert page["returned"] < page["total"]
        assert "next_offset" in page
        assert "next_offset" in " ".join(page["notes"])
        _, rest = await answer(agent, "crm_search", **every, offset=page["next_offset"])
        assert page["returned"] + rest["returned"] == page["total"]

    live(long_records.admin, steps)


def test_long_text_of_a_record_is_cut_and_said_so(live: Any, long_records: Any) -> None:
    lead = long_records.leads[1]
    with org_context(long_records.org):
        Lead.objects.filter(pk=lead.pk).update(description="x" * 30_000)

    async def steps(agent: Agent) -> None:
        length, got = await answer(agent, "crm_get", entity="leads", id=str(lead.pk))
        assert length <= MOST_CHARACTERS
        assert "description has 30000 characters; shown are those from 0 to 6000" in got["notes"][0]

    live(long_records.admin, steps)


def test_included_lists_that_do_not_fit_are_named(live: Any, long_records: Any) -> None:
    account = long_records.accounts[1]
    kind = population.ENTITIES["accounts"]
    with org_context(long_records.org):
        held = {
            "content_type": ContentType.objects.get_for_model(account),
            "object_id": account.pk,
            "org": long_records.org,
            "commented_by": long_records.admin,
            "created_by": long_records.admin.user,
        }
        Comment.objects.bulk_create(
            Comment(comment=f"{number} " + "x" * 250, **held) for number in range(40)
        )
        for name in ("contacts", "cases", "tasks", "invoices", "opportunities"):
            model = population.model_of(population.ENTITIES[name])
            model._default_manager.update(account=account)
    includes = [each.name for each in kind.includes]

    async def steps(agent: Agent) -> None:
        every = {"entity": "accounts", "id": str(account.pk)}
        length, got = await answer(agent, "crm_get", **every, include=includes)
        assert length <= MOST_CHARACTERS
        left_out = [name for name in includes if name not in got]
        assert left_out
        for name in left_out:
            assert any(note.startswith(name) for note in got["notes"])
        alone = left_out[0]
        length, got = await answer(agent, "crm_get", **every, include=[alone])
        assert length <= MOST_CHARACTERS
        assert got[alone]["returned"] == min(20, got[alone]["total"])

    live(long_records.admin, steps)


ENDLESS = "x" * 30_000
LEAD = {"entity": "leads", "id": "the lead's"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("crm_create", {"entity": "leads", "data": {"company_name": "C", "description": ENDLESS}}),
        ("crm_update", {**LEAD, "data": {"description": ENDLESS}}),
        ("crm_update", {**LEAD, "data": {"description": ENDLESS[1:]}}),
    ],
)
def test_endless_text_is_saved_whole_and_shown_cut(
    live: Any, alpha: Any, tool: str, arguments: Any
) -> None:
    lead = str(alpha.leads[1].pk)
    given = {**arguments, "id": lead} if "id" in arguments else arguments

    async def steps(agent: Agent) -> Any:
        if tool == "crm_update":
            await agent("crm_update", **LEAD | {"id": lead}, data={"description": "y" * 30_000})
        length, shown = await answer(agent, tool, **given)
        assert length <= MOST_CHARACTERS
        assert "were cut in the middle" in shown["notes"][0]
        return shown["id"]

    saved = live(alpha.user, steps)
    with org_context(alpha.org):
        kept = Lead.objects.get(pk=saved).description
    assert kept == arguments["data"]["description"]


def test_preview_of_endless_text(live: Any, alpha: Any) -> None:
    data = {"status": "converted", "email": "a@b.test", "description": ENDLESS}

    async def steps(agent: Agent) -> None:
        length, shown = await answer(agent, "crm_create", entity="leads", data=data)
        assert shown["confirmation_required"]
        assert length <= MOST_CHARACTERS

    live(alpha.user, steps, era="legacy")


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("crm_search", {"entity": ENDLESS}),
    ("crm_search", {"entity": "leads", "sort": ENDLESS}),
    ("crm_search", {"entity": "leads", "limit": ENDLESS}),
    ("crm_search", {"entity": "leads", "filters": {"status": ENDLESS}}),
    ("crm_search", {"entity": "leads", "filters": {ENDLESS: "x"}}),
    ("crm_search", {"entity": "leads", "filters": {"assigned_to": ENDLESS}}),
    ("crm_search", {"entity": "leads", "filters": {str(number): 1 for number in range(1_000)}}),
    ("crm_get", {"entity": "leads", "id": ENDLESS}),
    ("crm_get", {ENDLESS: 1}),
    ("crm_create", {"entity": "leads", "data": {"tags": [ENDLESS]}}),
    ("crm_action", {"entity": "leads", "id": ENDLESS, "action": ENDLESS}),
]


def test_error_repeats_little_of_what_was_wrong(live: Any, alpha: Any) -> None:
    async def steps(agent: Agent) -> None:
        for tool, arguments in WRONG:
            error = await agent.refused(tool, **arguments)
            assert len(json.dumps(error)) <= MOST_CHARACTERS, (tool, list(arguments))

    live(alpha.user, steps)


def test_groups_that_do_not_fit_are_counted(live: Any, alpha: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(truncation, "MOST_CHARACTERS", 2_500)

    async def steps(agent: Agent) -> None:
        titles = {"entity": "leads", "group_by": ["title", "created_by"]}
        _, shown = await answer(agent, "crm_summarize", **titles)
        assert 0 < len(shown["groups"]) < shown["total"]["count"]
        assert shown["notes"][0].startswith(f"The first {len(shown['groups'])} of ")

    live(alpha.user, steps)
