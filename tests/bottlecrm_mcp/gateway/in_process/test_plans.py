"""What PostgreSQL plans for the tools' queries in an organisation of a hundred thousand leads."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bottlecrm_mcp.doctor.tuning import remedies
from demo_crm.models import Lead, Tag

MANY = 100_000
LEADS = Lead._meta.db_table
# Those that are filled: of a few links it reads all.
LINKS = tuple(
    each.remote_field.through._meta.db_table
    for each in Lead._meta.local_many_to_many
    if each.name in ("assigned_to", "tags")
)


@pytest.fixture
def large(alpha, org_context) -> Any:
    """The organisation, with so many leads; a fifth of them is the USER's, half have a tag."""
    with org_context(alpha.org), connection.cursor() as cursor:
        columns = [field.column for field in Lead._meta.concrete_fields if field.name != "id"]
        values = {"created_at": "now() - number * interval '1 minute'", "city": "'C' || number"}
        copied = ", ".join(values.get(each, f'lead."{each}"') for each in columns)
        names = ", ".join(f'"{each}"' for each in columns)
        cursor.execute(
            f"INSERT INTO {LEADS} (id, {names}) SELECT gen_random_uuid(), {copied} "
            f"FROM {LEADS} lead, generate_series(1, %s) number WHERE lead.id = %s",
            [MANY, alpha.leads[4].pk],
        )
        for name, other, share in (("assigned_to", alpha.user, 0.2), ("tags", alpha.tags[0], 0.5)):
            relation: Any = Lead._meta.get_field(name)
            cursor.execute(
                f"INSERT INTO {relation.remote_field.through._meta.db_table} "
                f"({relation.m2m_column_name()}, {relation.m2m_reverse_name()}) "
                f"SELECT id, %s FROM {LEADS} WHERE random() < %s ON CONFLICT DO NOTHING",
                [other.pk, share],
            )
        Tag.objects.create(org=alpha.org, name="Rare").lead_tags.add(alpha.leads[1])
        cursor.execute("ANALYZE")
    return alpha


def plans(org_context, org, call) -> list[tuple[str, dict[str, Any]]]:
    """The statements that a call reads leads by, and what PostgreSQL plans for them."""
    with CaptureQueriesContext(connection) as captured:
        answer = call()
    assert "error" not in answer, answer
    asked = [each["sql"] for each in captured if f'FROM "{LEADS}"' in each["sql"]]
    with org_context(org), connection.cursor() as cursor:
        return [(statement, _plan(cursor, statement)) for statement in asked]


def _plan(cursor, statement: str) -> dict[str, Any]:
    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}".replace("%", "%%"), ())
    found = cursor.fetchone()[0]
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def is_scan(node: dict[str, Any]) -> bool:
    """Whether it reads every lead, or every link of one."""
    return "Seq Scan" in node["Node Type"] and node["Relation Name"] in (LEADS, *LINKS)


def reads_the_organisation(node: dict[str, Any]) -> bool:
    """Whether it reads every lead of the organisation."""
    return node.get("Relation Name") == LEADS and "org_id = " in node.get("Index Cond", "")


def known_lead(call, pk: str) -> list[Callable[[], Any]]:
    """Calls that are about one lead whose id is given."""
    task = {"title": "Call", "status": "New", "priority": "Low", "lead": pk}
    return [
        partial(call, "crm_get", entity="leads", id=pk),
        partial(call, "crm_update", entity="leads", id=pk, data={"city": "Bonn"}),
        partial(call, "crm_create", entity="tasks", data=task),
    ]


def test_plans(large, tools_of, org_context) -> None:
    """In one test: to make so many takes longer than to ask for them."""
    require_no_scan_for_a_known_record(large, tools_of, org_context)
    require_total_up_to_a_bound(large, tools_of, org_context)
    tune()
    require_total_of_rows_alone(large, tools_of, org_context)
    require_newest_off_the_index(large, tools_of, org_context)


def require_no_scan_for_a_known_record(large, tools_of, org_context) -> None:
    pk = str(large.leads[4].pk)
    for profile in (large.admin, large.user):
        for asked in known_lead(tools_of(profile), pk):
            found = plans(org_context, large.org, asked)
            assert found
            for statement, plan in found:
                assert not any(map(is_scan, nodes(plan))), statement
                assert not any(map(reads_the_organisation, nodes(plan))), statement


def require_total_up_to_a_bound(large, tools_of, org_context) -> None:
    call = tools_of(large.admin)
    found = plans(org_context, large.org, lambda: call("crm_search", entity="leads", limit=10))
    (counted,) = (plan for statement, plan in found if "COUNT" in statement)
    assert "Limit" in [node["Node Type"] for node in nodes(counted)]
    answer = call("crm_search", entity="leads", limit=10)
    assert answer["total"] == 10_000


def tune() -> None:
    with connection.cursor() as cursor:
        for remedy in remedies():
            for statement in remedy.statements:
                cursor.execute(statement)


def require_newest_off_the_index(large, tools_of, org_context) -> None:
    """Also of a USER, whose list joins who is assigned."""
    for who in (large.admin, large.user):
        for filters in ({}, {"status": "assigned"}, {"tags": large.tags[0].name}):
            search = partial(tools_of(who), "crm_search", entity="leads", filters=filters)
            found = plans(org_context, large.org, partial(search, limit=10))
            page = list(nodes(next(plan for statement, plan in found if "ORDER BY" in statement)))
            # What is found, at most: not what it is found among.
            rows = [node["Plan Rows"] for node in page if node["Node Type"] == "Sort"]
            assert max(rows, default=0) <= 10, filters
            # Who is assigned may be read at once; that is of the USER alone.
            scans = filter(is_scan, page)
            assert {each["Parent Relationship"] for each in scans} <= {"SubPlan"}, filters


def require_total_of_rows_alone(large, tools_of, org_context) -> None:
    """Nothing is joined, sorted or made distinct for it, so it can end at its bound."""
    call = tools_of(large.user)
    found = plans(org_context, large.org, lambda: call("crm_search", entity="leads", limit=10))
    (counted,) = (plan for statement, plan in found if "COUNT" in statement)
    kinds = {node["Node Type"] for node in nodes(counted)}
    assert "Limit" in kinds
    assert not kinds & {"Sort", "Unique", "Nested Loop", "Hash Join", "Merge Join"}, kinds
