"""Short values that could cost a process all its time: numbers with long exponents, many words.

What a call costs is measured in the time that its thread had of the processor, which does not
depend on the load of the machine; an ordinary call takes a few hundredths of a second.
"""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import httpx2
import mcp_types as types
import pytest

from bottlecrm_mcp.asgi import with_mcp
from bottlecrm_mcp.catalogue.model import Entity, Field, Kind
from bottlecrm_mcp.catalogue.prompts import PROMPTS
from bottlecrm_mcp.gateway.rest.gateway import RestGateway
from bottlecrm_mcp.protocol import prompts
from bottlecrm_mcp.protocol.completion import complete
from bottlecrm_mcp.protocol.resources import read
from bottlecrm_mcp.tools.arguments.filters import MOST_FILTERS, operators
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.registry import Registry
from demo_crm.access.row_security import org_context
from demo_crm.models import CustomFieldDefinition
from tests.agent import prompt_text
from tests.bottlecrm_mcp.gateway.rest.test_gateway import Loopback
from tests.bottlecrm_mcp.hosted.http import JSON, LIST_TOOLS, ORIGIN, bearer
from tests.bottlecrm_mcp.population import (
    EVERY,
    OPTIONAL,
    populate_optional,
    unchanged,
    with_settings,
)
from tests.security.test_arguments import require_in_order

MOST_SECONDS = 1.0
# The first of them take a while and end, where they are not refused.
NUMBERS = (
    "1e200000",
    "-1e200000",
    "1e999999999",
    "1e-999999999",
    "0e999999999",
    "9" * 5_000,
    "9" * 100_000,
    "0." + "3" * 100_000,
    "NaN",
    "-sNaN",
    "Infinity",
    "1e309",
    10**4_000,
    -(10**400),
    2**63,
    1e308,
    5e-324,
    float("inf"),
    float("nan"),
)
DATES = (
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "2026-01-31T12:00:00+23:59:59.999999",
    "in_9999_days",
    "last_9999_days",
    "last_999999999_days",
    "2026-01-31T" + "0" * 100_000,
    "9" * 100_000,
    "2026-W53-7",
)
TEXTS = ("a " * 100_000, "ab cd " * 20, "a" * 200_000, "%_\\" * 80, "\x00", "\u202e\u2028")
# Just within the bounds, so that the CRM and its database get them.
LARGEST = {
    Kind.INTEGER: (-(2**31) + 1, "2147483647"),
    Kind.DECIMAL: (-999999999999999, "1e14"),
    Kind.DATE: ("1000-01-01", "2999-12-31"),
    Kind.DATETIME: ("1000-01-01T00:00:00+23:59:59.999999", "2999-12-31T23:59:59.999999-23:59"),
}


@pytest.fixture
def crm(settings: Any, alpha: Any, crm_of: Any) -> Any:
    """All entities are served, and have records."""
    settings.BOTTLECRM_MCP = with_settings(ENTITIES=tuple(OPTIONAL))
    populate_optional(alpha)
    return crm_of(alpha.admin)


@contextmanager
def cheap(what: Any) -> Iterator[None]:
    begun = time.thread_time()
    yield
    spent = time.thread_time() - begun
    assert spent < MOST_SECONDS, f"{spent:.1f} s for {str(what)[:300]}"


@pytest.fixture
def call(crm: Any) -> Any:
    return caller(crm)


def caller(crm: Any) -> Any:
    """Calls a tool; whatever it was given, the answer is in order and was cheap."""
    registry = Registry(crm.catalogue)

    def cheaply(name: str, **arguments: Any) -> Any:
        tool = registry.get(name)
        assert tool is not None
        with cheap(arguments):
            try:
                answer = tool.call(crm, arguments)
            except ToolError as error:
                answer = error.as_dict()
        require_in_order(answer)
        return answer

    return cheaply


def filters(entity: Entity, *, ordered: bool) -> Iterator[list[str]]:
    """Every filter of an entity, as many at once as a call may have."""
    keys = [
        field.name if operator == "eq" else f"{field.name}__{operator}"
        for field in entity.fields
        for operator in operators(field)
        if field.kind.is_ordered is ordered
    ]
    return (keys[start : start + MOST_FILTERS] for start in range(0, len(keys), MOST_FILTERS))


def of_kinds(fields: Iterable[Field], value: Any) -> dict[str, Any]:
    """This value for every number and date among these fields, those of line items too."""
    given: dict[str, Any] = {}
    for field in fields:
        if field.kind.is_ordered:
            given[field.name] = value
        elif field.kind is Kind.OBJECTS:
            given[field.name] = [of_kinds(field.parts, value)]
    return given


def test_number_or_date_in_any_filter(call: Any) -> None:
    for name, entity in EVERY.items():
        for bomb in (*NUMBERS, *DATES):
            for keys in filters(entity, ordered=True):
                call("crm_search", entity=name, filters=dict.fromkeys(keys, bomb))
        call("crm_summarize", entity=name, filters=dict.fromkeys(keys, NUMBERS[0]))


def test_text_in_any_filter(call: Any) -> None:
    for name, entity in EVERY.items():
        for keys in filters(entity, ordered=False):
            for bomb in TEXTS:
                call("crm_search", entity=name, filters=dict.fromkeys(keys, bomb))
            lists = {key: TEXTS for key in keys if "__" not in key}
            call("crm_search", entity=name, filters=lists)


def test_number_or_date_in_any_field_of_a_write(call: Any, alpha: Any) -> None:
    with unchanged():
        for name, entity in EVERY.items():
            fields = entity.writable_fields
            for bomb in (*NUMBERS, *DATES[:5]):
                if data := of_kinds(fields, bomb):
                    call("crm_create", entity=name, data=data)
            record = str(getattr(alpha, name)[1].pk) if hasattr(alpha, name) else ""
            for field in fields if record else ():
                data = of_kinds([field], NUMBERS[0])
                if data and not entity.no_update:
                    assert "error" in call("crm_update", entity=name, id=record, data=data)


def test_number_or_date_in_any_parameter_of_an_action(call: Any, alpha: Any) -> None:
    with unchanged():
        for name, entity in EVERY.items():
            for action in entity.actions:
                if not of_kinds(action.params, 0):
                    continue
                asked = {"entity": name, "id": str(getattr(alpha, name)[1].pk)}
                for bomb in (NUMBERS[0], NUMBERS[6], DATES[0]):
                    params = of_kinds(action.params, bomb)
                    answer = call("crm_action", **asked, action=action.name, params=params)
                    assert "error" in answer


def test_over_the_rest_api(crm: Any) -> None:
    """What the lists of the REST API can't do is done in memory, with the same values."""
    gateway = RestGateway(crm.catalogue, crm.caller, Loopback(crm.gateway))
    hosted, local = caller(crm), caller(replace(crm, gateway=gateway))
    for name in ("leads", "tasks", "invoices", "time_entries", "goals"):
        for keys in filters(EVERY[name], ordered=True):
            for bomb in (NUMBERS[0], NUMBERS[6], *DATES[2:5]):
                assert "error" in local(
                    "crm_search", entity=name, filters=dict.fromkeys(keys, bomb)
                )
        for field in EVERY[name].fields:
            if field.kind in (Kind.DATE, Kind.DATETIME) and field.listed and not field.computed:
                for bomb in DATES[:2]:
                    asked = {f"{field.name}__gte": bomb, f"{field.name}__lte": bomb}
                    found = [
                        each("crm_search", entity=name, filters=asked) for each in (hosted, local)
                    ]
                    assert found[0].get("total") == found[1].get("total"), asked


def test_largest_values_that_are_let_through(call: Any, alpha: Any) -> None:
    """The CRM and its database take them or refuse them, and the records can still be read."""
    for name, entity in EVERY.items():
        for number in range(2):
            let_through = {kind: values[number] for kind, values in LARGEST.items()}
            asked = {
                f"{field.name}__{operator}": let_through[field.kind]
                for field in entity.fields
                if field.kind in LARGEST
                for operator in operators(field)
                if operator in ("gte", "lte")
            }
            answer = call("crm_search", entity=name, filters=asked)
            # Time entries are read for a while at most.
            assert "error" not in answer or entity.window, answer
            data = {
                field.name: let_through[field.kind]
                for field in entity.writable_fields
                if field.kind in LARGEST
            }
            if data and not entity.no_update:
                record = str(getattr(alpha, name)[number].pk)
                one_by_one = ({key: value} for key, value in data.items() if number == 1)
                for each in (data, *one_by_one):
                    call("crm_update", entity=name, id=record, data=each, confirm=True)
        assert call("crm_search", entity=name)["total"]
        for field in entity.writable_fields:
            if field.kind in (Kind.DATE, Kind.DATETIME):
                call("crm_summarize", entity=name, group_by=[f"{field.name}:week"])


def test_custom_fields(call: Any, alpha: Any) -> None:
    with org_context(alpha.org):
        CustomFieldDefinition.objects.bulk_create(
            CustomFieldDefinition(
                org=alpha.org, target_model="Lead", key=kind, label=kind, field_type=kind
            )
            for kind in ("number", "date", "checkbox", "textarea")
        )
    lead = str(alpha.leads[1].pk)
    with unchanged():
        for bomb in (*NUMBERS, [1], {"a": 1}):
            data = {"custom_fields": {"number": bomb}}
            assert "error" in call("crm_update", entity="leads", id=lead, data=data)
        for asked in (*NUMBERS, {"a": 1}, [{"a": 1}], [NUMBERS[0]]):
            filters = {"custom_fields.number": asked}
            assert "error" in call("crm_search", entity="leads", filters=filters)
    data = {"custom_fields": {"number": "many"}}
    answer = call("crm_update", entity="leads", id=lead, data=data)
    assert answer["error"]["fields"] == {
        "custom_fields": "number: Must be a number such as 12500.50, without a currency."
    }
    for bomb in (NUMBERS[0], NUMBERS[6], *DATES[:2], *TEXTS):
        keys = (f"custom_fields.{kind}" for kind in ("region", "date", "checkbox", "textarea"))
        call("crm_search", entity="leads", filters=dict.fromkeys(keys, bomb))
        data = {"custom_fields": {"date": bomb, "checkbox": bomb, "textarea": bomb}}
        call("crm_update", entity="leads", id=lead, data=data)
    unknown = {f"custom_fields.key{number}": 1 for number in range(900)}
    call("crm_search", entity="leads", filters=unknown)
    call("crm_update", entity="leads", id=lead, data={"custom_fields": unknown})
    for given, kept in (("12.50", 12.5), (7, 7), (0.1, 0.1), ("1e3", 1000)):
        data = {"custom_fields": {"number": given}}
        answer = call("crm_update", entity="leads", id=lead, data=data)
        assert answer["changed"]["custom_fields"]["after"]["number"] == kept
        found = call("crm_search", entity="leads", filters={"custom_fields.number": given})
        assert found["total"] == 1


def test_numeric_arguments(call: Any) -> None:
    for entity in ("leads", "tags", "all", "my_day"):
        words = {"query": "alphaseen"} if entity == "all" else {}
        for name in ("limit", "offset"):
            for bomb in (*NUMBERS, *DATES, True, 0.5, -1, [1], {"a": 1}):
                answer = call("crm_search", entity=entity, **words, **{name: bomb})
                assert answer["error"]["code"] == "invalid_arguments", (name, bomb)
        answer = call("crm_search", entity=entity, **words, limit=2.0)
        assert answer["returned"] == 2


def test_many_of_everything(call: Any, alpha: Any) -> None:
    lead = str(alpha.leads[1].pk)
    many = [f"some name {number}" for number in range(900)]
    searches: dict[str, dict[str, Any]] = {
        "leads": {"filters": dict.fromkeys(many, 1)},
        "contacts": {"filters": {"account": many}},
        "tasks": {"sort": "title," * 50_000},
        "cases": {"sort": "x" * 200_000},
        "accounts": {"fields": ["y" * 40_000] * 20},
        "opportunities": {"query": "a b " * 50},
    }
    for entity, arguments in searches.items():
        assert "error" in call("crm_search", entity=entity, **arguments)
    creates: dict[str, dict[str, Any]] = {
        "leads": {"data": dict.fromkeys(many, 1)},
        "accounts": {"data": {"name": "x", "tags": many, "assigned_to": many}},
        "tasks": {"data": {"title": "x", "contacts": many}},
        "invoices": {"data": {"line_items": [{"quantity": 1}] * 900}},
        "opportunities": {"data": {"line_items": [dict.fromkeys(many, 1)] * 2}},
    }
    for entity, arguments in creates.items():
        assert "error" in call("crm_create", entity=entity, **arguments)
    for tool, name in (("crm_get", "include"), ("crm_summarize", "measures")):
        given = {"id": lead} if tool == "crm_get" else {}
        for each in (many, ["z" * 100_000]):
            assert "error" in call(tool, entity="leads", **given, **{name: each})


def test_names_of_many_words(call: Any) -> None:
    """Each may be a condition, a place where a last name begins, or a search of its own."""
    for words in ("a " * 100_000, "ab cd ef " * 8, "alphaseen " * 25):
        for field in ("account", "contacts", "assigned_to", "tags", "teams", "lead", "case"):
            call("crm_search", entity="tasks", filters={field: words})
            answer = call("crm_create", entity="tasks", data={"title": "x", field: [words]})
            assert "error" in answer


COMPLETED: tuple[tuple[str, dict[str, str]], ...] = (
    ("id", {"entity": "leads"}),
    ("id", {"entity": "a " * 100_000}),
    ("account", {}),
    ("owner", {}),
    ("entity", {}),
    ("nothing", {}),
)


def test_completion(crm: Any) -> None:
    for typed in (*TEXTS, "alphaseen " * 25):
        for name, chosen in COMPLETED:
            params = types.CompleteRequestParams(
                ref=types.PromptReference(type="ref/prompt", name="account_brief"),
                argument=types.CompletionArgument(name=name, value=typed),
                context=types.CompletionContext(arguments=chosen),
            )
            with cheap((name, typed)), suppress(ToolError):
                assert len(complete(crm, params).values) <= 20


def test_resources_and_prompts(crm: Any) -> None:
    for text in (*NUMBERS[:12], *TEXTS):
        for uri in (text, f"crm://{text}", f"crm://leads/{text}", f"crm://{text}/{text}"):
            with cheap(uri), pytest.raises(ToolError):
                read(crm, uri)
        with cheap(text), pytest.raises(ToolError):
            prompts.get(PROMPTS, text, {})
        with cheap(text), suppress(ToolError):
            told = prompts.get(PROMPTS, "account_brief", {"account": text})
            assert len(prompt_text(told)) < 1_500


@pytest.mark.django_db(transaction=True)
def test_healthz_answers_meanwhile(settings: Any, secret: str) -> None:
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=None, CONCURRENT_CALLS=None)

    async def ask(client: httpx2.AsyncClient, bomb: Any) -> httpx2.Response:
        arguments = {"entity": "leads", "filters": {"probability": bomb}}
        message = LIST_TOOLS | {
            "method": "tools/call",
            "params": {"name": "crm_search", "arguments": arguments},
        }
        # Not by the client's own JSON, which refuses what is not finite.
        return await client.post("/mcp", content=json.dumps(message), headers=bearer(secret))

    async def run() -> None:
        transport = httpx2.ASGITransport(with_mcp(None))
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=JSON) as client:
            bombs = [asyncio.ensure_future(ask(client, bomb)) for bomb in NUMBERS]
            begun = time.process_time()
            health = await client.get("/mcp/healthz")
            spent = time.process_time() - begun
            answers = await asyncio.gather(*bombs)
        assert health.status_code == 200
        assert spent < MOST_SECONDS * 2
        for answer in answers:
            require_refused(answer)

    asyncio.run(run())


def require_refused(answer: httpx2.Response) -> None:
    if answer.status_code == 400:
        # More digits than a JSON parser takes.
        return
    assert answer.status_code == 200, answer.text
    assert '"internal_error"' not in answer.text
    assert answer.json()["result"]["isError"]
