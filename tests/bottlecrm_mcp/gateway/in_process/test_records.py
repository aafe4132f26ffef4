"""Searches on the authorised queryset against plain Python over what the REST API shows."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from bottlecrm_mcp.catalogue.model import Field, Kind
from bottlecrm_mcp.gateway.in_process import records
from bottlecrm_mcp.gateway.in_process.records import scalar
from bottlecrm_mcp.tools.arguments.filters import operators
from tests.bottlecrm_mcp.population import (
    ENTITIES,
    NAMES,
    ids,
    model_of,
    rest_record,
    rest_rows,
)

ZONE = ZoneInfo("Asia/Kolkata")  # alpha's

READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.DECIMAL: Decimal,
    Kind.INTEGER: int,
    Kind.DATE: date.fromisoformat,
    Kind.DATETIME: datetime.fromisoformat,
}


def shown(rest: Any, name: str) -> list[dict[str, Any]]:
    """The records of a list with every published field, its values read."""
    rows = rest_rows(rest, name, limit=100)
    if not all(field.listed for field in ENTITIES[name].fields):
        rows = [rest_record(rest, name, row["id"]) for row in rows]
    return [
        {"id": row["id"], **{each.name: value_in(row, each) for each in ENTITIES[name].fields}}
        for row in rows
    ]


def value_in(record: dict[str, Any], field: Field) -> Any:
    value = record.get(field.name)
    if field.kind is Kind.RELATION:
        also = value_in(record, field.also) if field.also else set()
        return {id_of(value), *also} if value else also
    if field.kind is Kind.RELATIONS:
        return {id_of(each) for each in value}
    return READERS[field.kind](value) if value is not None and field.kind in READERS else value


def id_of(value: Any) -> str:
    return str(value["id"] if isinstance(value, dict) else value)


def matching(records: list[dict[str, Any]], field: Field, operator: str, wanted: Any) -> set[str]:
    return {each["id"] for each in records if does_match(each[field.name], field, operator, wanted)}


def does_match(value: Any, field: Field, operator: str, wanted: Any) -> bool:
    empty = value in (None, "", set())
    if operator == "is_empty":
        return empty == wanted
    if operator == "not":
        return not does_match(value, field, "eq", wanted)
    if field.kind.is_relation:
        return not value.isdisjoint([wanted] if operator == "eq" else wanted)
    if empty:
        return False
    if operator == "in":
        return any(does_match(value, field, "eq", each) for each in wanted)
    if operator == "contains":
        return wanted.lower() in value.lower()
    if operator == "eq" and field.kind.is_text:
        return value.lower() == wanted.lower()
    if field.kind is Kind.DATETIME and operator == "eq":
        return value.astimezone(ZONE).date() == wanted
    if operator == "eq":
        return value == wanted
    compare = {"gt": gt, "gte": ge, "lt": lt, "lte": le}[operator]
    return bool(compare(value, wanted))


def questions(records: list[dict[str, Any]], field: Field) -> list[tuple[str, Any, Any]]:
    """Operator, what Python compares with, and what the filter is given."""
    values = [each[field.name] for each in records if each[field.name] not in (None, "", set())]
    values = [next(iter(sorted(each))) if isinstance(each, set) else each for each in values]
    asked: list[tuple[str, Any, Any]] = []
    if "is_empty" in operators(field):
        asked += [("is_empty", flag, flag) for flag in (True, False)]
    if not values or not operators(field):
        return asked
    middle = values[len(values) // 2]
    for operator in operators(field):
        if operator == "is_empty":
            continue
        wanted = middle
        if operator == "contains":
            wanted = (middle[1:-1] or middle[:1]).swapcase()
        elif field.kind is Kind.DATETIME and operator in ("eq", "not"):
            wanted = middle.astimezone(ZONE).date()
        asked.append((operator, wanted, as_json(wanted)))
    if not field.kind.is_ordered:
        some = [values[0], middle]
        asked.append(("in", some, some))
    return asked


def alike(name: str) -> Callable[[Field], Any]:
    """What decides how a field's filters are answered, apart from its column."""
    columns = {each.name: each for each in model_of(ENTITIES[name])._meta.get_fields()}

    def kind(field: Field) -> Any:
        column = columns.get(field.name)
        return field.kind, getattr(column, "null", None), getattr(column, "blank", None)

    return kind


def as_json(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def found(call: Any, name: str, **arguments: Any) -> list[str]:
    answer = call("crm_search", entity=name, limit=50, **arguments)
    assert "records" in answer, (arguments, answer)
    assert answer["total"] == answer["returned"] == len(answer["records"])
    return [row["id"] for row in answer["records"]]


@pytest.mark.parametrize("name", NAMES)
def test_filters(tools_of, api, alpha, name) -> None:
    """Every operator on one field of each kind, some on each other one."""
    kind, seen = alike(name), set()
    for profile, most in ((alpha.admin, 3), (alpha.user, 1)):
        call, records = tools_of(profile), shown(api(profile), name)
        offered = call("crm_describe", entity=name)["filters"]
        for number, field in enumerate(ENTITIES[name].fields):
            described = () if field.computed else offered.get(str(field.kind), ())
            assert tuple(described) == operators(field)
            asked = questions(records, field)
            if kind(field) in seen:
                asked = [*asked[number % len(asked) :], *asked][:most]
            elif len(asked) > most:
                seen.add(kind(field))
            for operator, wanted, given in asked:
                key = field.name + (f"__{operator}" if operator not in ("eq", "in") else "")
                expected = matching(records, field, operator, wanted)
                got = found(call, name, filters={key: given})
                assert len(got) == len(set(got)), (key, given)
                assert set(got) == expected, (key, given)


@pytest.mark.parametrize("name", NAMES)
def test_sort(admin, api, alpha, name) -> None:
    records = {each["id"]: each for each in shown(api(alpha.admin), name)}
    kinds = admin("crm_describe", entity=name)["sort"]
    for index, field in enumerate(ENTITIES[name].fields):
        if field.computed or str(field.kind) not in kinds:
            continue
        sort = ("-" if index % 2 else "") + field.name
        order = found(admin, name, sort=sort)
        values = [records[each][field.name] for each in order]
        present = [each for each in values if each is not None]
        assert values[: len(present)] == present, f"{sort}: empty ones come last"
        assert present == sorted(present, reverse=bool(index % 2)), sort
        assert set(order) == set(records)


def test_newest_first(admin, alpha) -> None:
    for name in NAMES:
        order = found(admin, name, fields=["created_at"])
        listed = [str(each.pk) for each in getattr(alpha, name)]
        assert order == [each for each in listed if each in order]


@pytest.mark.parametrize("name", NAMES)
def test_pages_of_ties_are_complete_and_without_duplicates(admin, alpha, name) -> None:
    for sort in ("status", "-is_active", "currency"):
        if ENTITIES[name].field(sort.removeprefix("-")) is None:
            continue
        whole = found(admin, name, sort=sort)
        pages = [
            row["id"]
            for offset in range(0, len(whole), 5)
            for row in admin("crm_search", entity=name, sort=sort, limit=5, offset=offset)[
                "records"
            ]
        ]
        assert pages == whole


@pytest.mark.parametrize("name", NAMES)
def test_words_are_looked_for_as_the_crm_does(user, api, alpha, name) -> None:
    rest = api(alpha.user)
    for word in ("seen", "ODD", "hidden", "alphaseen1", "nothing like it"):
        if " " in word:
            assert found(user, name, query=word) == []
        else:
            assert set(found(user, name, query=word)) == ids(
                rest_rows(rest, name, limit=100, search=word)
            )


def test_every_word_has_to_match(admin, alpha) -> None:
    both = set(found(admin, "leads", query="odd seen"))
    assert both == set(found(admin, "leads", query="odd")) & set(
        found(admin, "leads", query="seen")
    )
    assert both


def test_total_stops_where_counting_would_cost_more_than_the_rows(
    admin, alpha, monkeypatch
) -> None:
    every = found(admin, "leads")
    monkeypatch.setattr(records, "MOST_COUNTED", 4)
    answer = admin("crm_search", entity="leads", limit=2)
    assert (answer["total"], answer["next_offset"]) == (4, 2)
    (note,) = answer["notes"]
    assert "stops at 4" in note
    assert admin("crm_summarize", entity="leads")["total"] == {"count": len(every)}


def test_pages_beyond_the_counted_are_complete(admin, alpha, monkeypatch) -> None:
    every = found(admin, "leads")
    monkeypatch.setattr(records, "MOST_COUNTED", 4)
    read, offset = [], 0
    while offset is not None:
        page = admin("crm_search", entity="leads", limit=3, offset=offset)
        read += [row["id"] for row in page["records"]]
        offset = page.get("next_offset")
    assert read == every
    assert page["total"] == len(every)
    assert "notes" not in page


def test_total_over_all_entities_says_where_it_stops(admin, alpha, monkeypatch) -> None:
    monkeypatch.setattr(records, "MOST_COUNTED", 1)
    answer = admin("crm_search", entity="all", query="alphaseen", limit=1)
    assert answer["totals"]["leads"] == 1
    assert "The total of leads stops at 1; there are more." in answer["notes"]


def test_total_of_what_belongs_to_a_record_is_exact(admin, alpha, monkeypatch) -> None:
    monkeypatch.setattr(records, "MOST_COUNTED", 1)
    account = str(alpha.accounts[1].pk)
    shown = admin("crm_get", entity="accounts", id=account, include=["opportunities"])
    exact = admin("crm_summarize", entity="opportunities", filters={"account": account})
    assert shown["opportunities"]["total"] == exact["total"]["count"]


def test_several_assignees_or_tags_count_a_record_once(admin, alpha) -> None:
    people = [str(each.pk) for each in alpha.people]
    tags = [str(each.pk) for each in alpha.tags]
    got = found(admin, "opportunities", filters={"assigned_to": people, "tags": tags})
    assert len(got) == len(set(got)) == 7


@pytest.mark.parametrize("name", [each for each in NAMES if each != "solutions"])
def test_custom_field(admin, alpha, name) -> None:
    got = found(admin, name, filters={"custom_fields.region": "north"})
    north = [str(each.pk) for each in getattr(alpha, name)[::2]]
    assert set(got) == set(north) & set(found(admin, name))


def test_custom_field_of_another_organisation(admin, alpha, beta) -> None:
    from demo_crm.access.row_security import org_context
    from demo_crm.models import CustomFieldDefinition

    with org_context(beta.org):
        CustomFieldDefinition.objects.filter(target_model="Lead").update(key="betakey")
    answer = admin("crm_search", entity="leads", filters={"custom_fields.betakey": "north"})
    assert answer["error"]["code"] == "invalid_filter"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "org",
        "org__name",
        "org__id",
        "updated_by",
        "created_by__password",
        "created_by__password__contains",
        "assigned_to__user__password__contains",
        "assigned_to__org",
        "account__name__contains",
        "first_name__startswith",
        "first_name__iregex",
        "first_name__contains__contains",
        "id",
        "pk",
        "id__in",
        "__contains",
        "first_name__",
        "custom_fields__region",
        "custom_fields.",
        "custom_fields.region__contains",
        "kanban_order",
        "_state",
        "query",
    ],
)
def test_unpublished_columns_are_out_of_reach(admin, key) -> None:
    answer = admin("crm_search", entity="leads", filters={key: "a"})
    assert answer["error"]["code"] == "invalid_filter"


@pytest.mark.parametrize(
    "name", ["password", "org", "created_by__password", "assigned_to__user__email", "org__name"]
)
def test_unpublished_columns_are_not_shown_or_sorted_by(admin, name) -> None:
    for arguments in ({"fields": [name]}, {"sort": name}, {"sort": f"-{name}"}):
        answer = admin("crm_search", entity="leads", **arguments)
        assert answer["error"]["code"] == "unknown_field"


def test_percent_sign_and_underscore_are_letters(admin, alpha) -> None:
    for letters in ("%", "_", "\\"):
        assert found(admin, "leads", filters={"city__contains": letters}) == []


@pytest.mark.parametrize("moment", [datetime.max, datetime.min])
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_moment_at_the_end_of_the_calendar_is_shown(moment: datetime, zone: str) -> None:
    with timezone.override(zone):
        text = scalar(moment.replace(tzinfo=UTC))
    assert datetime.fromisoformat(text) == moment.replace(tzinfo=UTC)
