"""Two organisations' records, so varied that every filter tells some of them apart.

A record's texts say whose it is and whether the organisation's USER may see it, so that a leak
shows in the text of any answer: `alphahidden`, `alphaseen`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import connection, models

from bottlecrm_mcp.catalogue.model import Entity, Field, Kind
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.shared.rows import dig
from demo_crm.access.row_security import org_context
from demo_crm.models import CustomFieldDefinition, Org, Profile, Tag, Team, User
from tests.whole_crm.catalogue import CATALOGUE

OPTIONAL = {entity.name: entity for entity in CATALOGUE.optional}
PER_ENTITY = 12
# In this order, so that what is pointed to is there.
ORDER = (
    "accounts",
    "contacts",
    "leads",
    "opportunities",
    "cases",
    "tasks",
    "invoices",
    "solutions",
)
EVERY = {entity.name: entity for entity in (*CATALOGUE.entities, *CATALOGUE.optional)}
ENTITIES = {name: entity for name, entity in EVERY.items() if name in ORDER}
NAMES = tuple(ENTITIES)
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def model_of(entity: Entity) -> type[models.Model]:
    return apps.get_model(entity.model)


def populate(admin: Profile, user: Profile) -> SimpleNamespace:
    """`PER_ENTITY` records of each kind; a third is out of the USER's reach.

    Some have no assignee and no tag, some one, some four of each.
    """
    org = admin.org
    with org_context(org):
        made = SimpleNamespace(org=org, admin=admin, user=user)
        made.people = [admin, user, *(colleague(org, number) for number in range(3))]
        made.tags = [
            Tag.objects.create(org=org, name=f"{org.name} tag {number}") for number in range(4)
        ]
        made.teams = [
            Team.objects.create(org=org, name=f"{org.name} team {number}") for number in range(2)
        ]
        for name in ORDER:
            setattr(made, name, _records(ENTITIES[name], made))
        CustomFieldDefinition.objects.bulk_create(
            CustomFieldDefinition(
                org=org,
                target_model=entity.custom_fields,
                key="region",
                label="Region",
                field_type="text",
            )
            for entity in ENTITIES.values()
            if entity.custom_fields
        )
    return made


def populate_optional(made: SimpleNamespace) -> None:
    """The same of each kind that is served on request."""
    with org_context(made.org):
        for name, entity in OPTIONAL.items():
            setattr(made, name, _records(entity, made))


def populate_whole(admin: Profile, user: Profile) -> SimpleNamespace:
    """Both."""
    made = populate(admin, user)
    populate_optional(made)
    return made


def colleague(org: Org, number: int) -> Profile:
    name = f"{org.name} Colleague{number}"
    email = f"{org.name}.colleague{number}@example.com".lower()
    user = User.objects.create(email=email, name=name)
    return Profile.objects.create(user=user, org=org)


def is_hidden(number: int) -> bool:
    """Whether the USER may not see the records of this number."""
    return number % 3 == 0


def marker(org: Org, number: int) -> str:
    return f"{org.name.lower()}{'hidden' if is_hidden(number) else 'seen'}"


def _records(entity: Entity, made: SimpleNamespace) -> list[Any]:
    model = model_of(entity)
    records = [_record(entity, model, made, number) for number in range(PER_ENTITY)]
    now = datetime.now(ZoneInfo(made.org.timezone))
    for number, record in enumerate(records):
        record.created_at = now - timedelta(days=number)
        record.updated_at = now - timedelta(hours=number)
    with _times_as_given(model):
        model._default_manager.bulk_create(records)
    for name in ("assigned_to", "tags", "teams", "contacts"):
        if any(each.name == name for each in model._meta.many_to_many):
            _link(name, records, [_many(made, number)[name] for number in range(PER_ENTITY)])
    return records


@contextmanager
def _times_as_given(model: type[models.Model]) -> Iterator[None]:
    created: Any = model._meta.get_field("created_at")
    updated: Any = model._meta.get_field("updated_at")
    created.auto_now_add = updated.auto_now = False
    try:
        yield
    finally:
        created.auto_now_add = updated.auto_now = True


def _link(name: str, records: list[Any], related: list[list[Any]]) -> None:
    field = type(records[0])._meta.get_field(name)
    through = field.remote_field.through
    ours, theirs = field.m2m_column_name(), field.m2m_reverse_name()
    through._default_manager.bulk_create(
        through(**{ours: record.pk, theirs: other.pk})
        for record, others in zip(records, related, strict=True)
        for other in others
    )


def _record(entity: Entity, model: Any, made: SimpleNamespace, number: int) -> Any:
    creator = made.user if number % 3 == 1 else made.admin
    values = {"org": made.org, "created_by": creator.user}
    columns = {each.name: each for each in model._meta.get_fields()}
    for field in entity.fields:
        column = columns.get(field.name)
        if field.name in ("created_by", "created_at", "updated_at") or column is None:
            continue
        if field.kind is Kind.RELATION:
            values |= _one(entity, field, made, number)
        elif field.kind not in (Kind.RELATIONS, Kind.OBJECTS):
            values[field.name] = _value(entity, field, column, made.org, number)
    if values.get("scope") == "org":
        values["owner"] = None
    return model(**values)


def _one(entity: Entity, field: Field, made: SimpleNamespace, number: int) -> dict[str, Any]:
    # A task has one parent, a case no more than one that is older.
    parents = ("account", "opportunity", "case", "lead")
    shares = not field.required and (field.name != "account" or entity.name == "tasks")
    if shares and field.name in parents and number % 4 != parents.index(field.name):
        return {}
    target = getattr(made, field.to, None)
    return {} if target is None else {field.name: target[number % len(target)]}


def _many(made: SimpleNamespace, number: int) -> dict[str, list[Any]]:
    people = {0: [], 1: made.people[2:3], 2: made.people[1:5]}[number % 3]
    if number % 6 == 0:
        people = made.people[:1]
    many = {
        "assigned_to": people,
        "tags": made.tags[: (0, 1, 4, 2)[number % 4]],
        "teams": made.teams[: number % 3],
    }
    return many | {"contacts": getattr(made, "contacts", [])[number : number + 1]}


def _value(entity: Entity, field: Field, column: Any, org: Org, number: int) -> Any:
    if field.name == "is_active":
        # An inactive case is in no list.
        return entity.name == "cases" or number % 4 != 3
    if (entity.name, field.name) == ("leads", "status"):
        return ("assigned", "in process", "recycled", "closed")[number % 4]
    if field.name == "period_end":
        return datetime.now(ZoneInfo(org.timezone)).date() + timedelta(days=90 + number)
    # A person has one running timer.
    if column.null and number % 4 == 0 and field.name != "ended_at":
        return None
    if field.kind is Kind.OBJECT:
        return {"region": ("north", "south")[number % 2]}
    return SCALARS[field.kind](field, column, org, number)


def _text(field: Field, column: Any, org: Org, number: int) -> str:
    if column.blank and number % 5 == 4 and not column.null:
        return ""
    if field.name.endswith("country"):
        return ("US", "DE", "GB")[number % 3]
    if field.name.endswith("phone"):
        return f"+49 30 {1000000 + number}"
    if field.name in ("invoice_number", "estimate_number"):
        return f"INV-{marker(org, number)}-{number:04}"
    text = f"{marker(org, number)} {field.name} {'odd' if number % 2 else 'even'} {number}"
    return text[: column.max_length]


SCALARS: dict[Kind, Callable[[Field, Any, Org, int], Any]] = {
    Kind.TEXT: _text,
    Kind.PHONE: _text,
    Kind.EMAIL: lambda field, column, org, number: (
        f"{marker(org, number)}{number}@{field.name.replace('_', '-')}.test"
    ),
    Kind.URL: lambda field, column, org, number: f"https://{marker(org, number)}.test/{number}",
    Kind.INTEGER: lambda field, column, org, number: number * 5,
    Kind.DECIMAL: lambda field, column, org, number: Decimal(number) + Decimal("0.50"),
    Kind.BOOLEAN: lambda field, column, org, number: number % 2 == 1,
    Kind.DATE: lambda field, column, org, number: (
        datetime.now(ZoneInfo(org.timezone)).date() + timedelta(days=number - 6)
    ),
    Kind.DATETIME: lambda field, column, org, number: (
        datetime.now(ZoneInfo(org.timezone)) - timedelta(days=number)
    ),
    Kind.CHOICE: lambda field, column, org, number: field.choices[number % len(field.choices)],
}


def rest_rows(client: Any, name: str, limit: int = 7, **parameters: Any) -> list[dict[str, Any]]:
    """Every row of a REST list, both halves, over all pages."""
    entity = ENTITIES[name]
    rows: list[dict[str, Any]] = []
    for section in entity.sections:
        offset, total = 0, 1
        while offset < total:
            asked = {**entity.list_parameters, "limit": limit, **parameters, "offset": offset}
            answer = client.get(entity.path, asked)
            assert answer.status_code == 200, answer.content
            total = dig(answer.json(), section.total)
            rows += dig(answer.json(), section.rows)
            offset += limit
    return rows


def rest_record(client: Any, name: str, pk: Any) -> dict[str, Any]:
    entity = ENTITIES[name]
    answer = client.get(entity.record_path(str(pk)))
    assert answer.status_code == 200, answer.content
    return dig(answer.json(), entity.detail_key)


def ids(rows: Any) -> set[str]:
    return {str(row["id"]) for row in rows}


def everything() -> dict[str, str]:
    """A digest of each table of the CRM, as each organisation sees it."""
    tables = [
        name
        for name in connection.introspection.table_names()
        if name.startswith(("demo_crm_", "whole_crm_"))
    ]
    query = " UNION ALL ".join(
        f"SELECT '{name}', md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), ''))"
        f" FROM {name} r"
        for name in tables
    )
    digests: dict[str, str] = {}
    for org in Org.objects.all():
        with org_context(org), connection.cursor() as cursor:
            cursor.execute(query)
            digests |= {f"{org.name} {name}": digest for name, digest in cursor.fetchall()}
    return digests


@contextmanager
def unchanged() -> Iterator[None]:
    """Whatever happens within leaves every record of every organisation as it was."""
    before = everything()
    yield
    after = everything()
    assert [name for name in before if before[name] != after[name]] == []


def with_settings(**changes: Any) -> dict[str, Any]:
    """The value of BOTTLECRM_MCP with some settings changed."""
    return {"CATALOGUE": mcp_settings().CATALOGUE, **changes}
