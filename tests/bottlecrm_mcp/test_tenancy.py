"""Attempts to see or change what is another organisation's, or out of one's role."""

import asyncio
import json
from collections import Counter
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from bottlecrm_mcp import asgi
from bottlecrm_mcp.catalogue.model import Access
from bottlecrm_mcp.hosted import thread_pool
from bottlecrm_mcp.hosted.kept_connection import give_back
from bottlecrm_mcp.hosted.workers import Workers
from bottlecrm_mcp.tools.arguments.filters import operators
from tests.bottlecrm_mcp.hosted.http import JSON, bearer
from tests.bottlecrm_mcp.population import (
    ENTITIES,
    NAMES,
    UNKNOWN_ID,
    ids,
    is_hidden,
    populate,
    rest_rows,
    unchanged,
)
from tests.bottlecrm_mcp.tools.test_create import NEW
from tests.kept import kept

# Of a call.
MOST_INCLUDES = 10


def searched(call, name, **arguments):
    """Every id that crm_search gives, over all pages."""
    found, offset = [], 0
    while offset is not None:
        answer = call("crm_search", entity=name, limit=5, offset=offset, **arguments)
        assert "records" in answer, answer
        found += [row["id"] for row in answer["records"]]
        offset = answer.get("next_offset")
    assert len(found) == len(set(found)) == answer["total"]
    return set(found)


@pytest.mark.parametrize(("org", "role"), [("alpha", "admin"), ("alpha", "user"), ("beta", "user")])
def test_agent_sees_what_the_person_sees(tools_of, api, alpha, beta, org, role) -> None:
    made = {"alpha": alpha, "beta": beta}[org]
    call, rest = tools_of(getattr(made, role)), api(getattr(made, role))
    for name in NAMES:
        visible = ids(rest_rows(rest, name, limit=100))
        assert searched(call, name) == visible, name
        counted = call("crm_summarize", entity=name)["total"]
        assert counted["count"] == len(visible)
        # Of what the USER may not see, the detail view says so itself.
        pk = str(getattr(made, name)[3].pk)
        reachable = rest.get(ENTITIES[name].record_path(pk)).status_code == 200
        assert ("record" in call("crm_get", entity=name, id=pk)) == reachable, name


def in_beta(beta, target):
    """The id of a record of beta's, and what it is called there."""
    if target in ("people", "users"):
        person = beta.people[2]
        pk = person.pk if target == "people" else person.user.pk
        return str(pk), "beta.colleague0@example.com"
    if target in ("tags", "teams"):
        return str(getattr(beta, target)[1].pk), f"Beta {target[:-1]} 1"
    mailed = target in ("leads", "contacts")
    name = "betaseen1@email.test" if mailed else "betaseen name odd 1"
    return str(getattr(beta, target)[1].pk), name


def arguments_by_id(name):
    """Every call that takes the id of a record of this entity, without the id."""
    entity = ENTITIES[name]
    yield "crm_get", {}
    included = [each.name for each in entity.includes]
    for first in range(0, len(included), MOST_INCLUDES):
        yield "crm_get", {"include": included[first : first + MOST_INCLUDES]}
    field = next(each for each in entity.writable_fields if each.kind.is_text)
    yield "crm_update", {"data": {field.name: "taken over"}}
    yield "crm_delete", {}
    yield "crm_delete", {"confirm": True}
    for action in entity.actions:
        params = {each.name: PARAMS.get(each.name, UNKNOWN_ID) for each in action.params}
        yield "crm_action", {"action": action.name, "params": params, "confirm": True}


PARAMS = {
    "amount": 1,
    "quantity": 1,
    "unit_price": 1,
    "discount_value": 1,
    "tax_rate": 1,
    "hourly_rate": 1,
    "discount_type": "FIXED",
    "payment_method": "CASH",
    "currency": "USD",
    "payment_date": "today",
    "closed_on": "today",
    "started_at": "2026-01-01T10:00",
    "ended_at": "2026-01-01T11:00",
    "is_internal": False,
    "billable": True,
    "into": "alphaseen name odd 1",
    "parent": "alphaseen name odd 1",
    "solution_id": "alphaseen title odd 1",
}


def without(value, answer):
    """An error with the value that was asked for left out, to be compared."""
    assert "error" in answer, answer
    text = json.dumps(answer["error"], ensure_ascii=False)
    return text.lower().replace(str(value).lower(), "…")


@pytest.mark.parametrize("name", NAMES)
def test_foreign_record_is_like_an_unknown_one(admin, alpha, beta, name) -> None:
    foreign = str(getattr(beta, name)[1].pk)
    with unchanged():
        for tool, arguments in arguments_by_id(name):
            answers = [
                without(pk, admin(tool, entity=name, id=pk, **arguments))
                for pk in (foreign, UNKNOWN_ID)
            ]
            assert answers[0] == answers[1], (tool, arguments)
            assert "beta" not in answers[0]


def relations(name, *, writable=False):
    fields = [each for each in ENTITIES[name].fields if each.kind.is_relation]
    return [each for each in fields if each.writable] if writable else fields


def references(beta, field):
    """Foreign ones, each beside an unknown one of the same form."""
    pk, name = in_beta(beta, field.to)
    return (pk, UNKNOWN_ID), (name, name.replace("beta", "zeta").replace("Beta", "Zeta"))


@pytest.mark.parametrize("name", [name for name in NAMES if relations(name, writable=True)])
def test_foreign_reference_is_like_an_unknown_one(admin, alpha, beta, name) -> None:
    pk = str(getattr(alpha, name)[1].pk)
    with unchanged():
        for field in relations(name):
            for pair in references(beta, field):
                asked = [calls_with(name, pk, field, value) for value in pair]
                if pair[1] != UNKNOWN_ID:
                    # Names are looked up in one way for all of them.
                    asked = [calls[-1:] for calls in asked]
                for (tool, foreign), (_, unknown) in zip(*asked, strict=True):
                    answers = [
                        without(value, admin(tool, entity=name, **arguments))
                        for value, arguments in zip(pair, (foreign, unknown), strict=True)
                    ]
                    assert answers[0] == answers[1], (tool, field.name, pair)
                    assert "beta" not in answers[0]


def calls_with(name, pk, field, value):
    """Calls that take a related record, to a new record or to this one."""
    calls: list[tuple[str, dict[str, Any]]] = [("crm_search", {"filters": {field.name: value}})]
    if field.writable:
        calls.append(("crm_create", {"data": {**NEW[name], field.name: value}}))
    if field.access is Access.WRITE:
        calls.append(("crm_update", {"id": pk, "data": {field.name: value}}))
    return calls


@pytest.mark.parametrize("name", [name for name in NAMES if relations(name, writable=True)])
def test_wrong_references(admin, alpha, name) -> None:
    pk = str(getattr(alpha, name)[1].pk)
    wrong = [{"id": 5}, "no-id"]
    with unchanged():
        for field in relations(name, writable=True):
            for value in wrong:
                for tool, arguments in calls_with(name, pk, field, value)[1:]:
                    arguments["data"]["description"] = "changed"
                    answer = admin(tool, entity=name, **arguments)
                    assert answer["error"]["code"] != "internal_error"


@pytest.mark.parametrize(
    ("name", "action", "param"),
    [
        ("cases", "merge", "into"),
        ("cases", "link_parent", "parent"),
        ("cases", "link_solution", "solution_id"),
        ("cases", "unlink_solution", "solution_id"),
    ],
)
def test_foreign_parameter_is_like_an_unknown_one(admin, alpha, beta, name, action, param) -> None:
    field = next(each for each in ENTITIES[name].action(action).params if each.name == param)
    record = {"entity": name, "id": str(alpha.cases[1].pk), "action": action, "confirm": True}
    with unchanged():
        for pair in references(beta, field):
            answers = [
                without(value, admin("crm_action", **record, params={param: value}))
                for value in pair
            ]
            assert answers[0] == answers[1]


def test_foreign_values_of_filters_match_nothing(admin, alpha, beta) -> None:
    for name in NAMES:
        for field in ENTITIES[name].fields:
            if field.kind.is_text and "contains" in operators(field):
                filters = {f"{field.name}__contains": "beta"}
                assert admin("crm_search", entity=name, filters=filters)["total"] == 0
        assert admin("crm_search", entity=name, query="betaseen")["total"] == 0


@pytest.mark.parametrize("name", [name for name in NAMES if name != "solutions"])
def test_record_out_of_role(user, alpha, name) -> None:
    hidden = str(getattr(alpha, name)[3].pk)
    with unchanged():
        for tool, arguments in arguments_by_id(name):
            answer = user(tool, entity=name, id=hidden, **arguments)
            codes = {"forbidden", "not_found", "not_supported" if tool == "crm_delete" else ""}
            assert answer["error"]["code"] in codes, (tool, arguments)
            assert "alphahidden" not in without(hidden, answer)


@pytest.mark.parametrize("name", [name for name in NAMES if relations(name, writable=True)])
def test_reference_out_of_role(user, alpha, name) -> None:
    pk = str(getattr(alpha, name)[1].pk)
    with unchanged():
        for field in relations(name):
            if field.to not in ENTITIES:
                continue
            hidden = getattr(alpha, field.to)[3]
            for value in (str(hidden.pk), "alphahidden"):
                for tool, arguments in calls_with(name, pk, field, value):
                    answer = user(tool, entity=name, **arguments)
                    assert "alphahidden" not in without(value, answer), (field.name, value)


def test_nothing_out_of_role_in_any_answer(user, alpha, beta) -> None:
    for name in NAMES:
        if name == "solutions":
            continue
        entity = ENTITIES[name]
        answers = [
            user("crm_search", entity=name, limit=50, fields=listed(entity)[:20]),
            user("crm_search", entity=name, limit=50, fields=listed(entity)[20:]),
            user("crm_search", entity=name, query="alphahidden"),
            user("crm_search", entity=name, query="hidden odd 3"),
            user("crm_describe", entity=name),
            user("crm_summarize", entity=name, group_by=["created_at:month"]),
        ]
        for number in range(1, 6):
            pk = str(getattr(alpha, name)[number].pk)
            included = [each.name for each in entity.includes if not each.path]
            if not is_hidden(number):
                answers.append(user("crm_get", entity=name, id=pk, include=included[:10]))
        for answer in answers:
            assert "error" not in answer, answer
            told = json.dumps({**answer, "query": ""})
            assert "alphahidden" not in told
            assert "beta" not in told.lower()


def listed(entity):
    return [each.name for each in entity.fields if each.listed and not each.computed]


def test_summaries_count_what_is_visible(user, api, alpha) -> None:
    rest = api(alpha.user)
    for name, field in (("leads", "status"), ("opportunities", "stage"), ("cases", "priority")):
        rows = rest_rows(rest, name, limit=100)
        groups = user("crm_summarize", entity=name, group_by=[field])["groups"]
        expected = Counter(row[field] for row in rows if row[field])
        assert {group[field]: group["count"] for group in groups if group.get(field)} == expected


LISTED = ("leads", "accounts", "invoices")


@pytest.mark.django_db(transaction=True)
def test_many_tenants_at_once(two_orgs, token_for, api, monkeypatch) -> None:
    """More callers than threads, on two organisations, with errors among the calls."""
    orgs = [
        kept(populate, two_orgs.alpha_admin, two_orgs.alpha_user),
        kept(populate, two_orgs.beta_admin, two_orgs.beta_user),
    ]
    workers = Workers(2, "two", give_back, patience=0.01)
    monkeypatch.setattr(thread_pool, "workers", lambda: workers)
    callers = [
        SimpleNamespace(
            headers=bearer(token_for(profile)),
            foreign=orgs[1 - index].org.name.lower(),
            visible={name: ids(rest_rows(api(profile), name, limit=100)) for name in LISTED},
            theirs=orgs[1 - index],
        )
        for index, made in enumerate(orgs)
        for profile in (made.admin, made.user)
    ]

    async def one(client, caller, name, number):
        foreign = str(getattr(caller.theirs, name)[1].pk)
        tool, arguments = (
            ("crm_search", {"entity": name, "limit": 50}),
            ("crm_get", {"entity": name, "id": foreign}),
            ("crm_search", {"entity": name, "limit": 50, "sort": "-created_at"}),
        )[number % 3]
        message = {
            "jsonrpc": "2.0",
            "id": number,
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments},
        }
        response = await client.post("/mcp", json=message, headers={**JSON, **caller.headers})
        result = response.json()["result"]
        assert caller.foreign not in response.text.lower()
        if tool == "crm_get":
            assert result["isError"]
        else:
            rows = result["structuredContent"]["records"]
            assert ids(rows) == caller.visible[name]

    async def run():
        transport = httpx2.ASGITransport(asgi.with_mcp(None))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            await asyncio.gather(
                *(
                    one(client, caller, name, number)
                    for number in range(3)
                    for name in LISTED
                    for caller in callers
                )
            )

    try:
        asyncio.run(run())
    finally:
        workers.finish()
