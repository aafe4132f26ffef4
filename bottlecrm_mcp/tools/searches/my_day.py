"""My day: what waits for the person today, as crm_search shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from bottlecrm_mcp.catalogue.model import ASSIGNEES, CREATED, CREATOR, Duty, Entity
from bottlecrm_mcp.gateway.base import Condition, RowQuery
from bottlecrm_mcp.tools.arguments.filters import Filters
from bottlecrm_mcp.tools.arguments.references import ME
from bottlecrm_mcp.tools.crm import Crm, label_names
from bottlecrm_mcp.tools.searches.one_entity import EntitySearch, search_entities

MY_DAY = "my_day"
MOST_OF_EACH = 50
# What nobody is assigned to is up to whoever made it.
MINE: tuple[Mapping[str, Any], ...] = (
    {ASSIGNEES: ME},
    {CREATOR: ME, f"{ASSIGNEES}__is_empty": True},
)
MISSED, OVERDUE, URGENT, TODAY, OPEN, SOON = range(6)


class Waiting(NamedTuple):
    """A record that waits for the person; sorts by how pressing it is, then by day."""

    pressing: int
    rank: int
    due: str
    row: Mapping[str, Any]


def my_day(crm: Crm, limit: int) -> dict[str, Any]:
    """The person's tasks, cases, follow-ups, deals and invoices that want something now."""
    duties = [each for each in crm.catalogue.duties if crm.catalogue.entity(each.entity)]
    found = search_entities(crm, [_search(crm, duty) for duty in duties])
    waiting = [
        _waiting(crm, search.duty, search.entity, row)
        for search, page in found.pages
        for row in page.rows
        if search.duty
    ]
    waiting.sort(key=lambda each: (each.pressing, each.rank, each.due))
    result = found.as_result(MY_DAY, [each.row for each in waiting[:limit]])
    if not waiting:
        result["notes"] = [*result.get("notes", ()), "Nothing waits for this person today."]
    return result


def _search(crm: Crm, duty: Duty) -> EntitySearch:
    entity = crm.entity(duty.entity)
    names = {duty.due or CREATED, duty.urgency, duty.answered, *duty.tells, *label_names(entity)}
    columns = tuple(field for field in entity.fields if field.name in names)
    columns += tuple(field for field, _ in duty.missed)
    first = entity.field(duty.due or CREATED)
    query = RowQuery(
        columns,
        conditions=_understood(crm, entity, duty.filters),
        either=tuple(_understood(crm, entity, mine) for mine in MINE),
        sort=((first, False),) if first else (),
        limit=MOST_OF_EACH,
    )
    return EntitySearch(entity, query, duty)


def _understood(crm: Crm, entity: Entity, filters: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(Filters(crm, entity).read(filters).conditions)


def _waiting(crm: Crm, duty: Duty, entity: Entity, row: Mapping[str, Any]) -> Waiting:
    due = row.get(duty.due, "")
    late = (crm.clock.today - date.fromisoformat(due)).days if due else 0
    urgency = row.get(duty.urgency, "")
    why = [f"{duty.what} {_when(late) if due else _since(crm, row)}".strip(), urgency]
    if duty.answered and duty.answered not in row:
        why.append("not answered yet")
    missed = [promise for field, promise in duty.missed if row.get(field.name)]
    why += [f"{promise} overdue" for promise in missed]
    shown = {"entity": entity.name, "id": row["id"], "name": crm.label(entity, row)}
    if due:
        shown["due"] = due
    if late > 0:
        shown["days_late"] = late
    shown |= {name: _short(row[name]) for name in duty.tells if name in row}
    shown["why"] = ", ".join(filter(None, why))
    pressing = MISSED if missed else _pressing(duty, due, late, urgency)
    return Waiting(pressing, _rank(duty, due, urgency), due, shown)


def _short(value: Any) -> Any:
    return value["name"] if isinstance(value, Mapping) else value


def _rank(duty: Duty, due: str, urgency: str) -> int:
    """Of what has no day, the most urgent is first."""
    if due:
        return 0
    return duty.urgent.index(urgency) if urgency in duty.urgent else len(duty.urgent)


def _when(late: int) -> str:
    if late == 0:
        return "due today"
    return f"overdue by {_days(late)}" if late > 0 else f"due in {_days(-late)}"


def _since(crm: Crm, row: Mapping[str, Any]) -> str:
    """How long what has no day is waiting."""
    if CREATED not in row:
        return ""
    made = datetime.fromisoformat(row[CREATED]).astimezone(crm.clock.zone).date()
    age = (crm.clock.today - made).days
    return f"for {_days(age)}" if age > 0 else "since today"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _pressing(duty: Duty, due: str, late: int, urgency: str) -> int:
    if not due:
        return URGENT if urgency in duty.urgent else OPEN
    if late == 0:
        return TODAY
    return OVERDUE if late > 0 else SOON
