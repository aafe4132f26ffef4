"""Cards for clients that declare MCP Apps: what is added for them, and how they confirm."""

import json
import re
from typing import Any

import mcp_types as types
import pytest
from django.core.cache import cache
from mcp.client import advertise
from mcp.shared.exceptions import MCPError

from bottlecrm_mcp.protocol.cards.documents import FILES, document
from bottlecrm_mcp.protocol.cards.extension import ADDRESS, ANSWER, EXTENSION, MIME_TYPE
from bottlecrm_mcp.protocol.cards.facts import META
from pat_tokens.models import Event
from pat_tokens.rls import in_organisation
from tests.agent import LEGACY, MODERN, Agent, Json, Person, text_of

CARDS = (advertise(EXTENSION, {"mimeTypes": [MIME_TYPE]}),)
MOST_BYTES = 12_000


@pytest.fixture(autouse=True)
def _unspent(settings):
    cache.clear()
    settings.BOTTLECRM_MCP = {
        **settings.BOTTLECRM_MCP,
        "WEB_ADDRESS": "https://crm.example",
        "CALLS_PER_MINUTE": 0,
    }


async def shown(agent: Agent, called: str, /, **arguments: Any) -> tuple[Json, Json]:
    """What the model gets, and what the card gets besides."""
    result = await agent.client.call_tool(called, arguments)
    assert not result.is_error, text_of(result)
    assert json.loads(text_of(result)) == result.structured_content
    return result.structured_content, (result.meta or {}).get(META)


def press(answer: Json, *, agreed: bool = True) -> Json:
    return {**answer["arguments"], "agreed": agreed}


def test_documents_are_small_and_stand_alone():
    for kind in FILES:
        page = document(kind)
        assert len(page.encode()) <= MOST_BYTES
        assert "innerHTML" not in page
        assert not re.findall(r"(?:src|href)=|url\(|@import|fetch\(|eval\(|insertAdjacent", page)
        assert set(re.findall(r"https?://[\w./]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_cards_of_the_tools(live, alpha):
    async def steps(agent: Agent) -> None:
        tools = {tool.name: tool for tool in (await agent.client.list_tools()).tools}
        answer = tools.pop(ANSWER)
        assert answer.meta == {"ui": {"visibility": ["app"]}}
        uris = {name: tool.meta["ui"]["resourceUri"] for name, tool in tools.items() if tool.meta}
        assert set(uris.values()) == {ADDRESS.format(kind=kind) for kind in FILES}
        assert tools.keys() - uris.keys() == {"crm_describe", "list_actions"}
        for uri in uris.values():
            (page,) = (await agent.client.read_resource(uri)).contents
            assert isinstance(page, types.TextResourceContents)
            assert (page.mime_type, page.meta) == (MIME_TYPE, None)
            assert page.text.startswith("<!doctype html>")
        listed = (await agent.client.list_resources()).resources
        assert not [each for each in listed if str(each.uri).startswith("ui://")]

    live(alpha.user, steps, extensions=CARDS)


@pytest.mark.parametrize("era", ["auto", LEGACY])
def test_nothing_is_added_for_a_client_without_them(live, alpha, era):
    """What is answered with the extension is the same and more; without it, nothing is there."""
    task = str(alpha.tasks[1].pk)
    calls: list[tuple[str, Json]] = [
        ("crm_search", {"entity": "tasks"}),
        ("crm_search", {"entity": "my_day"}),
        ("crm_get", {"entity": "tasks", "id": task}),
        ("crm_summarize", {"entity": "tasks", "group_by": ["status"]}),
        ("list_actions", {"entity": "tasks"}),
    ]

    async def answers(agent: Agent) -> list[Any]:
        told = [(await agent.client.list_tools()).model_dump(mode="json", by_alias=True)]
        for name, arguments in calls:
            result = await agent.client.call_tool(name, arguments)
            told.append(result.model_dump(mode="json", by_alias=True))
        return [agent.client.server_capabilities.extensions, *told]

    plain = live(alpha.user, answers, era=era)
    other = live(alpha.user, answers, era=era, extensions=[advertise("com.example/other", {})])
    wordless = live(alpha.user, answers, era=era, extensions=[advertise(EXTENSION, {})])
    assert plain == other == wordless
    said = json.dumps(plain)
    assert EXTENSION not in (plain[0] or {})
    assert not [each for each in ("ui://", META, ANSWER) if each in said]
    capability, tools, *results = live(alpha.user, answers, era=era, extensions=CARDS)
    assert capability == {**(plain[0] or {}), EXTENSION: {"mimeTypes": [MIME_TYPE]}}
    assert tools["tools"].pop()["name"] == ANSWER
    for each in tools["tools"]:
        each["_meta"] = None
    for each in results:
        each["_meta"].pop(META)
        each["_meta"] = each["_meta"] or None
    assert [tools, *results] == plain[1:]


def test_facts_for_a_card(live, alpha):
    async def steps(agent: Agent) -> None:
        rows, facts = await shown(agent, "crm_search", entity="tasks")
        assert list(facts["fields"])[:3] == ["title", "status", "priority"]
        assert facts["fields"]["due_date"] == {"label": "Due date", "kind": "date"}
        assert facts["pages"] == {"tasks": "https://crm.example/tasks/{id}"}
        assert facts["done"] == {"tasks": {"field": "status", "value": "Completed"}}
        assert facts["arguments"] == {"entity": "tasks"}
        task = rows["records"][0]
        got, facts = await shown(agent, "crm_get", entity="tasks", id=task["id"])
        assert facts["name"] == got["record"]["title"]
        _, facts = await shown(agent, "crm_search", entity="my_day")
        assert facts["fields"]["due"] == {"label": "Due", "kind": "date"}
        _, facts = await shown(
            agent,
            "crm_summarize",
            entity="opportunities",
            # As some clients spell a list.
            group_by='["stage", "created_at:month"]',
            measures=["count", "sum:amount"],
        )
        assert facts["groups"] == ["stage", "created_at:month"]
        assert facts["measures"] == {"count": {"money": False}, "sum:amount": {"money": True}}

    live(alpha.admin, steps, extensions=CARDS)


def test_nothing_passes_for_done_that_is_not(live, alpha):
    one = {"entity": "leads", "id": str(alpha.leads[1].pk)}
    file = {"action": "add_attachment", "params": {"file_name": "a.pdf"}}
    comment = {"action": "add_comment", "params": {"comment": "Called."}}
    hot = {"data": {"rating": "HOT"}}

    async def steps(agent: Agent) -> None:
        for said, tool, arguments in (
            ("", "crm_get", {}),
            ("waits for the file", "crm_action", file),
            ("done", "crm_action", comment),
            ("updated", "crm_update", hot),
            ("nothing to change", "crm_update", hot),
            ("updated", "crm_update", {"data": {"rating": "COLD"}, "idempotency_key": "k"}),
            ("done before", "crm_update", {"data": {"rating": "COLD"}, "idempotency_key": "k"}),
        ):
            _, facts = await shown(agent, tool, **one, **arguments)
            assert facts["did"] == said, (tool, arguments)

    live(alpha.admin, steps, extensions=CARDS)


def test_nobody_is_offered_to_tick_off_what_they_may_not_write(live, alpha):
    async def steps(agent: Agent) -> None:
        assert ANSWER not in [each.name for each in (await agent.client.list_tools()).tools]
        _, facts = await shown(agent, "crm_search", entity="tasks")
        assert facts["done"] == {}

    live(alpha.user, steps, extensions=CARDS, scopes=["*:read"])


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_only_the_card_confirms(live, alpha, org_context, era):
    task = alpha.tasks[1]
    arguments = {"entity": "tasks", "id": str(task.pk)}

    def is_there() -> bool:
        with org_context(alpha.org):
            return type(task).objects.filter(pk=task.pk).exists()

    async def steps(agent: Agent) -> Json:
        preview, facts = await shown(agent, "crm_delete", **arguments)
        assert preview["confirmation_required"]
        assert "on a card" in preview["next"]
        seal = facts["confirm"]["arguments"]["seal"]
        assert seal not in json.dumps(preview)
        assert "confirmation" not in preview
        # What the model may say counts for nothing, also with what it could not know.
        for said in ({"confirm": True}, {"confirm": True, "confirmation": seal}):
            again, _ = await shown(agent, "crm_delete", **arguments, **said)
            assert again["confirmation_required"]
        guess, _ = await shown(agent, ANSWER, **press(facts["confirm"]) | {"seal": "1.guess"})
        assert guess["confirmation_required"]
        other = press(facts["confirm"])
        other["arguments"] = {"entity": "tasks", "id": str(alpha.tasks[7].pk)}
        elsewhere, _ = await shown(agent, ANSWER, **other)
        assert elsewhere["confirmation_required"]
        return facts["confirm"]

    confirm = live(alpha.user, steps, era=era, extensions=CARDS)

    async def with_another_token(agent: Agent) -> None:
        result, _ = await shown(agent, ANSWER, **press(confirm))
        assert result["confirmation_required"]

    live(alpha.user, with_another_token, era=era, extensions=CARDS)
    assert is_there()

    async def pressed(agent: Agent) -> None:
        _, facts = await shown(agent, "crm_delete", **arguments)
        done, _ = await shown(agent, ANSWER, **press(facts["confirm"]))
        assert done["deleted"]

    live(alpha.user, pressed, era=era, extensions=CARDS)
    assert not is_there()


def test_a_card_is_answered_once_and_about_what_it_showed(live, alpha):
    arguments = {"entity": "tasks", "id": str(alpha.tasks[1].pk)}

    async def steps(agent: Agent) -> None:
        _, declined = await shown(agent, "crm_delete", **arguments)
        no, _ = await shown(agent, ANSWER, **press(declined["confirm"], agreed=False))
        assert no["declined"]
        again, _ = await shown(agent, ANSWER, **press(declined["confirm"]))
        assert again["confirmation_required"]
        _, facts = await shown(agent, "crm_delete", **arguments)
        await agent("crm_update", **arguments, data={"title": "Another title"})
        newer, facts = await shown(agent, ANSWER, **press(facts["confirm"]))
        assert newer["preview"]["record"]["title"] == "Another title"
        done, _ = await shown(agent, ANSWER, **press(facts["confirm"]))
        assert done["deleted"]

    live(alpha.user, steps, extensions=CARDS)


def test_answer_that_is_malformed(live, alpha):
    async def steps(agent: Agent) -> None:
        wrong = {"tool": "crm_delete", "arguments": {}, "seal": "x", "agreed": "yes"}
        result = await agent.client.call_tool(ANSWER, wrong)
        assert result.is_error
        assert "agreed: 'yes' is not of type 'boolean'" in text_of(result)
        sealed = {
            "tool": "crm_search",
            "arguments": {"entity": "leads"},
            "seal": "",
            "agreed": True,
        }
        assert (await agent.client.call_tool(ANSWER, sealed)).is_error
        unknown = {"tool": "crm_drop", "arguments": {}, "seal": "x", "agreed": True}
        with pytest.raises(MCPError, match="Unknown tool: crm_drop"):
            await agent.client.call_tool(ANSWER, unknown)

    live(alpha.user, steps, extensions=CARDS)


def test_no_other_client_can_answer(live, alpha):
    async def steps(agent: Agent) -> None:
        with pytest.raises(MCPError, match=f"Unknown tool: {ANSWER}"):
            await agent.client.call_tool(ANSWER, {"tool": "crm_search", "arguments": {}})

    live(alpha.user, steps)


def test_form_comes_first(live, alpha):
    async def steps(agent: Agent) -> None:
        assert ANSWER not in [each.name for each in (await agent.client.list_tools()).tools]
        read, done = await agent.confirming(
            "crm_delete", entity="tasks", id=str(alpha.tasks[1].pk), confirm=True
        )
        assert alpha.tasks[1].title in read
        assert done["deleted"]

    live(alpha.user, steps, extensions=CARDS, person=Person())


def test_answer_is_noted_as_the_write_that_it_is(live, alpha):
    task = str(alpha.tasks[1].pk)

    async def steps(agent: Agent) -> None:
        _, facts = await shown(agent, "crm_delete", entity="tasks", id=task)
        await shown(agent, ANSWER, **press(facts["confirm"]))

    live(alpha.user, steps, extensions=CARDS)
    with in_organisation(alpha.org.pk):
        written = Event.objects.filter(kind="write").values_list("tool", "record_id", "outcome")
        assert [(tool, str(pk), outcome) for tool, pk, outcome in written] == [
            ("crm_delete", task, "done")
        ]
