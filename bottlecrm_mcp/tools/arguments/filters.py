"""Filters of a search: one vocabulary for all entities, understood completely or refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Entity, Field, Kind, Open
from bottlecrm_mcp.gateway.base import Condition
from bottlecrm_mcp.tools.arguments import custom_fields, scalars
from bottlecrm_mcp.tools.arguments.dates import OVERDUE, RANGES
from bottlecrm_mcp.tools.arguments.references import Reference, References
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError, suggest

CUSTOM = "custom_fields."
PARTIAL = (
    "This person is no administrator: of other people's records those that this person can see "
    "are counted, which may not be all."
)
IS_OPEN = "is_open"
MOST_FILTERS = 50
MOST_VALUES = 50


class Filters:
    """Reads `{"field": value, "field__operator": value}` into conditions and what to echo."""

    def __init__(self, crm: Crm, entity: Entity) -> None:
        self.crm = crm
        self.entity = entity
        self.references = References(crm)
        self.conditions: list[Condition] = []
        self.understood: dict[str, Any] = {}
        self._problems: dict[str, str] = {}

    def read(self, filters: Mapping[str, Any]) -> Filters:
        """Raises one `ToolError` that names all that is wrong with them."""
        if len(filters) > MOST_FILTERS:
            raise ToolError("invalid_filter", f"At most {MOST_FILTERS} filters can be given.")
        for key, value in filters.items():
            try:
                self._read_one(key, value)
            except ToolError as problem:
                if problem.candidates or problem.code in ("insufficient_scope", "unauthorized"):
                    raise
                self._problems[key] = " ".join(
                    part for part in (problem.message, problem.hint) if part
                )
        if self._problems:
            raise ToolError(
                "invalid_filter",
                f"{self.entity.name} can't be filtered like this.",
                fields=self._problems,
            )
        return self

    @property
    def notes(self) -> list[str]:
        """What a caller has to know who sees a part of what was asked for."""
        is_of_others = any(self._names_others(each) for each in self.conditions)
        return [PARTIAL] if is_of_others and not self.crm.caller.is_admin else []

    def _names_others(self, condition: Condition) -> bool:
        own = self.crm.catalogue.own_id_of(condition.field.to)
        if not own or condition.operator not in ("eq", "in"):
            return False
        given = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        return any(each != getattr(self.crm.caller, own) for each in given)

    def _read_one(self, key: str, value: Any) -> None:
        if key.startswith(CUSTOM):
            self._read_custom(key.removeprefix(CUSTOM), value)
            return
        if key == IS_OPEN and self.entity.open is not None:
            self._read_is_open(self.entity.open, value)
            return
        name, separator, operator = key.partition("__")
        field = self.entity.field(name)
        if field is None:
            raise ToolError("unknown_filter", suggest(name, self._filterable()))
        allowed = operators(field)
        if (operator if separator else "eq") not in allowed:
            others = ", ".join(name + (f"__{each}" if each != "eq" else "") for each in allowed)
            raise ToolError("unknown_filter", f"Use {others or 'another field'}.")
        if operator == "is_empty":
            if not isinstance(value, bool):
                raise ToolError("invalid_value", "Must be true or false.")
            self._add(Condition(field, "is_empty", value), value)
        elif isinstance(value, list):
            self._read_list(field, operator, value)
        else:
            self._read_value(field, operator or "eq", value)

    def _filterable(self) -> list[str]:
        names = [field.name for field in self.entity.fields if operators(field)]
        return [*names, IS_OPEN] if self.entity.open else names

    def _read_is_open(self, opened: Open, value: Any) -> None:
        """Also of a list that leaves some of the closed ones out: those are not asked for."""
        if not isinstance(value, bool):
            raise ToolError("invalid_value", "Must be true or false.")
        field = self.entity.field(opened.field)
        if field is None:
            raise ToolError("unknown_filter", suggest(opened.field, self._filterable()))
        closed = [each for each in field.choices if each not in opened.values]
        # What has no value yet is open.
        self.conditions.append(Condition(field, "not_in" if value else "in", tuple(closed)))
        shown = list(opened.values) if value else closed
        self.understood[IS_OPEN] = {"is": value, field.name: shown}

    @cached_property
    def _custom_fields(self) -> Mapping[str, Mapping[str, Any]]:
        return custom_fields.definitions(self.crm, self.entity)

    def _read_custom(self, key: str, value: Any) -> None:
        known = self._custom_fields
        field = self.entity.field(CUSTOM_FIELDS)
        if field is None or key not in known:
            raise ToolError("unknown_filter", f"No such custom field. {suggest(key, known)}")
        if value is None:
            raise ToolError("invalid_value", "Give one value.")
        value = custom_fields.value_of(known[key], value)
        if isinstance(value, str):
            scalars.require_short(value)
        self._add(Condition(field, "eq", value, custom_key=key), value)

    def _read_list(self, field: Field, operator: str, values: list[Any]) -> None:
        if operator or field.kind.is_ordered:
            raise ToolError("invalid_value", "Give one value, not a list.")
        if not 0 < len(values) <= MOST_VALUES:
            raise ToolError("invalid_value", f"Give 1 to {MOST_VALUES} values.")
        read = [self._value(field, value) for value in values]
        for each in read:
            self._refuse_hidden(field, each)
        self._add(
            Condition(field, "in", tuple(_bare(each) for each in read)),
            [_shown(each) for each in read],
        )

    def _read_value(self, field: Field, operator: str, value: Any) -> None:
        if field.kind in (Kind.DATE, Kind.DATETIME):
            self._read_date(field, operator, value)
        elif operator == "contains":
            if not isinstance(value, str) or not value:
                raise ToolError("invalid_value", "Must be text.")
            scalars.require_short(value)
            self._add(Condition(field, operator, value), value)
        else:
            read = self._value(field, value)
            self._refuse_hidden(field, read)
            self._add(Condition(field, operator, _bare(read)), _shown(read))

    def _refuse_hidden(self, field: Field, value: Any) -> None:
        for hidden in self.entity.hidden:
            if hidden.field == field.name and hidden.value == value:
                raise ToolError("hidden", hidden.why)

    def _value(self, field: Field, value: Any) -> Any:
        if value is None:
            raise ToolError("invalid_value", f"For what has no value use {field.name}__is_empty.")
        if field.kind.is_relation:
            return self.references.resolve(field.to, value)
        if field.kind is Kind.CHOICE:
            return choice_value(field.choices, value)
        if field.kind is Kind.BOOLEAN:
            if not isinstance(value, bool):
                raise ToolError("invalid_value", "Must be true or false.")
            return value
        if field.kind is Kind.INTEGER:
            return scalars.whole(value)
        if field.kind is Kind.DECIMAL:
            return scalars.written_out(scalars.decimal(value))
        if not isinstance(value, str):
            raise ToolError("invalid_value", "Must be text.")
        scalars.require_short(value)
        return value

    def _read_date(self, field: Field, operator: str, value: Any) -> None:
        if not isinstance(value, str):
            raise ToolError("invalid_value", "Must be a date as text, such as 2026-01-31.")
        clock = self.crm.clock
        first = last = clock.day(value)
        if first is None:
            found = clock.range(value)
            if found is None:
                self._read_moment(field, operator, value)
                return
            first, last = found
        # "at least this week" starts with its first day, "at most this week" ends with its last.
        if value == OVERDUE and operator == "eq" and self.entity.open is not None:
            # What is finished is not late.
            self._read_is_open(self.entity.open, True)
        if operator in ("eq", "gte") and first is not None:
            self._bound(field, "gte", clock.start_of(first).isoformat(), first.isoformat())
        if operator in ("eq", "lte") and last is not None:
            self._bound(field, "lte", clock.end_of(last).isoformat(), last.isoformat())

    def _read_moment(self, field: Field, operator: str, value: str) -> None:
        moment = self.crm.clock.moment(value)
        if moment is None or field.kind is Kind.DATE or operator == "eq":
            raise ToolError(
                "invalid_value",
                f"Must be a date such as 2026-01-31, or one of {', '.join(RANGES)}.",
            )
        self._bound(field, operator, moment.isoformat(), "")

    def _bound(self, field: Field, operator: str, moment: str, day: str) -> None:
        value = day if field.kind is Kind.DATE else moment
        self._add(Condition(field, operator, value), value)

    def _add(self, condition: Condition, shown: Any) -> None:
        self.conditions.append(condition)
        self.understood[condition.key] = shown


def operators(field: Field) -> tuple[str, ...]:
    """The operators that this field can be filtered by."""
    return () if field.computed else field.kind.operators


def choice_value(choices: tuple[str, ...], value: Any) -> str:
    """The choice that is meant; spelling counts, case does not."""
    if isinstance(value, str):
        for each in choices:
            if each.lower() == value.lower():
                return each
    raise ToolError("invalid_value", f"{value!r} is not a choice. {suggest(value, choices)}")


def _bare(value: Any) -> Any:
    return value.id if isinstance(value, Reference) else value


def _shown(value: Any) -> Any:
    return value.as_dict() if isinstance(value, Reference) else value
