"""Groups and measures of a summary, as a caller writes them."""

from __future__ import annotations

from dataclasses import replace

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Entity, Field, Kind
from bottlecrm_mcp.gateway.base import Grouping, Measure
from bottlecrm_mcp.tools.arguments import custom_fields
from bottlecrm_mcp.tools.arguments.filters import IS_OPEN, Filters, is_open
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError, suggest

PERIODS = ("day", "week", "month", "quarter", "year")
FUNCTIONS = ("sum", "avg", "min", "max")
DAYS = "days:"
SHARE = "share:"


def groupable(entity: Entity) -> list[str]:
    return [field.name for field in entity.fields if _can_group(field)]


def measurable(entity: Entity) -> list[str]:
    return [field.name for field in entity.fields if _is_measurable(field)]


def _can_group(field: Field, is_related: bool = False) -> bool:
    if is_related and field.kind.is_relation:
        return False
    return not field.computed and field.kind not in (Kind.DECIMAL, Kind.OBJECT, Kind.OBJECTS)


def grouping_of(crm: Crm, entity: Entity, wanted: str) -> Grouping:
    """What `status`, `created_at:month`, `account.industry` and the like mean.

    Raises `ToolError`, which names the nearest.
    """
    name, _, period = wanted.partition(":")
    if name == IS_OPEN and entity.open is not None:
        return Grouping(Field(IS_OPEN, Kind.BOOLEAN), holds=(is_open(entity, entity.open, True),))
    through: tuple[Field, Entity] | None = None
    of = entity
    relation, separator, rest = name.partition(".")
    if separator and relation != CUSTOM_FIELDS:
        through = _through(crm, entity, relation)
        of, name = through[1], rest
    field = of.field(name) or custom_fields.field_of(crm, of, name)
    if field is None or not _can_group(field, through is not None):
        said = custom_fields.pointed_to(crm, of, name) or suggest(name, groupable(of))
        raise ToolError("unknown_field", f"{of.name} can't be grouped by {name!r}. {said}")
    return replace(_by_period(field, name, period), through=through)


def _through(crm: Crm, entity: Entity, relation: str) -> tuple[Field, Entity]:
    """A relation to one record, and the entity that it points to. Raises `ToolError`."""
    field = entity.field(relation)
    target = crm.catalogue.entity(field.to) if field else None
    if field is None or field.kind is not Kind.RELATION or target is None or not target.paged:
        single = [each.name for each in entity.fields if each.kind is Kind.RELATION]
        raise ToolError(
            "unknown_field",
            f"{entity.name} can't be grouped by what {relation!r} is. {suggest(relation, single)}",
        )
    crm.require_scope(target, "read", f", which {relation}.… needs")
    return field, target


def _by_period(field: Field, name: str, period: str) -> Grouping:
    if field.kind in (Kind.DATE, Kind.DATETIME):
        if period and period not in PERIODS:
            raise ToolError(
                "invalid_value", f"{period!r} is not a period. {suggest(period, PERIODS)}"
            )
        return Grouping(field, period or "day")
    if period:
        raise ToolError("invalid_value", f"{name} is not a date and has no periods.")
    return Grouping(field)


def measure_of(crm: Crm, entity: Entity, wanted: str) -> Measure:
    """What `count`, `sum:amount`, `avg:days:created_at:closed_on` and the like mean.

    Raises `ToolError`, which names the nearest.
    """
    function, _, name = wanted.partition(":")
    if wanted == "count":
        return Measure("count")
    if wanted.startswith(SHARE):
        return _share(crm, entity, name)
    if function not in FUNCTIONS or not name:
        raise ToolError(
            "invalid_value",
            f"{wanted!r} is not a measure. Use count; sum, avg, min, max with a field: sum:amount, "
            "or with the days between two: avg:days:created_at:closed_on; share:status=closed.",
        )
    if name.startswith(DAYS):
        return _days(entity, function, wanted, name)
    field = entity.field(name) or custom_fields.field_of(crm, entity, name)
    if field is None or not (name in measurable(entity) or _is_measurable(field)):
        said = custom_fields.pointed_to(crm, entity, name) or suggest(name, measurable(entity))
        raise ToolError("unknown_field", f"{entity.name} have no number or date {name!r}. {said}")
    if function in ("sum", "avg") and field.kind in (Kind.DATE, Kind.DATETIME):
        raise ToolError("invalid_value", f"{name} is a date: it has min and max only.")
    return Measure(function, field)


def _is_measurable(field: Field) -> bool:
    return field.kind.is_ordered and not field.computed


def _days(entity: Entity, function: str, wanted: str, name: str) -> Measure:
    """The days between two dates of a record."""
    dates = [
        each
        for each in entity.fields
        if each.kind in (Kind.DATE, Kind.DATETIME) and not each.computed
    ]
    by_name = {each.name: each for each in dates}
    names = name.removeprefix(DAYS).split(":")
    if len(names) != 2 or not by_name.keys() >= set(names):
        raise ToolError(
            "invalid_value",
            f"{wanted!r} is not a measure. Use {function}:days:FROM:TO with two of "
            f"{', '.join(by_name)}.",
        )
    return Measure(function, by_name[names[0]], by_name[names[1]])


def _share(crm: Crm, entity: Entity, text: str) -> Measure:
    """The part of the records of which `field=value`, as a filter, holds."""
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise ToolError("invalid_value", f"Use {SHARE}FIELD=VALUE, not {SHARE}{text}.")
    read = Filters(crm, entity).read({name: value})
    return Measure("share", holds=tuple(read.conditions), label=text)
