"""Filters of a search: one vocabulary for all entities, understood completely or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Entity, Field, Kind, Open
from bottlecrm_mcp.gateway.base import (
    ANY,
    Condition,
    Refused,
    Related,
    RowQuery,
    each_condition,
)
from bottlecrm_mcp.tools.arguments import custom_fields, scalars
from bottlecrm_mcp.tools.arguments.dates import OVERDUE, RANGES
from bottlecrm_mcp.tools.arguments.references import (
    MOST_LISTED,
    Reference,
    References,
    ambiguous,
    is_called,
)
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError, raise_for, suggest

PARTIAL = (
    "This person is no administrator: of other people's records those that this person can see "
    "are counted, which may not be all."
)
IS_OPEN = "is_open"
EITHER = "any"
# The record itself.
ID = Field("id", Kind.RELATION)
MOST_FILTERS = 50
MOST_VALUES = 50
MOST_ALTERNATIVES = 10
# Each is a list of its own that the CRM makes for the caller.
MOST_LOOKED_INTO = 10
# What doesn't say that the CRM has no such record.
NOT_LOOKED_UP = ("not_found", "forbidden", "insufficient_scope")
# What is asked of the caller itself, whatever else is wrong.
AT_ONCE = ("insufficient_scope", "unauthorized")


class Filters:
    """Reads `{"field": value, "field__operator": value}` into conditions and what to echo.

    `through` is the relation that leads to this entity, where the filters are those of another.
    """

    def __init__(self, crm: Crm, entity: Entity, through: str = "") -> None:
        self.crm = crm
        self.entity = entity
        self.through = through
        self.references = References(crm)
        self.conditions: list[Condition] = []
        self.understood: dict[str, Any] = {}
        self._problems: dict[str, str] = {}
        self._limits: dict[str, None] = {}
        self._looked_into = 0

    def read(self, filters: Mapping[str, Any]) -> Filters:
        """Raises one `ToolError` that names all that is wrong with them."""
        if len(filters) > MOST_FILTERS:
            raise ToolError("invalid_filter", f"At most {MOST_FILTERS} filters can be given.")
        beyond: dict[str, dict[str, Any]] = {}
        for key, value in filters.items():
            relation, separator, rest = key.partition(".")
            if separator and relation != CUSTOM_FIELDS:
                # Those through one relation are about one and the same record.
                beyond.setdefault(relation, {})[rest] = value
            else:
                self._try(key, self._read_one, key, value)
        for relation, others in beyond.items():
            self._try(f"{relation}.{next(iter(others))}", self._read_through, relation, others)
        if self._problems:
            raise ToolError(
                "invalid_filter",
                f"{self.entity.name} can't be filtered like this.",
                fields=self._problems,
            )
        return self

    def _try(self, key: str, read: Callable[..., None], *arguments: Any) -> None:
        try:
            read(*arguments)
        except ToolError as problem:
            if problem.candidates or problem.code in AT_ONCE:
                raise
            if problem.fields:
                self._problems |= problem.fields
            else:
                said = (problem.message, problem.hint)
                self._problems[key] = " ".join(part for part in said if part)

    @property
    def notes(self) -> list[str]:
        """What a caller has to know who sees a part of what was asked for."""
        is_of_others = any(map(self._names_others, each_condition(self.conditions)))
        partial = [PARTIAL] if is_of_others and not self.crm.caller.is_admin else []
        return [*partial, *self._limits]

    def _names_others(self, condition: Condition) -> bool:
        own = self.crm.catalogue.own_id_of(condition.field.to)
        if not own or condition.operator not in ("eq", "in"):
            return False
        given = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        return any(each != getattr(self.crm.caller, own) for each in given)

    def _read_one(self, key: str, value: Any) -> None:
        if key == IS_OPEN and self.entity.open is not None:
            self._read_is_open(self.entity.open, value)
            return
        if key == EITHER:
            self._read_either(value)
            return
        name, field, operator = self._field(key)
        if field.computed:
            raise ToolError("unknown_filter", _computed(self.entity, field))
        allowed = operators(field)
        if operator not in allowed:
            others = ", ".join(name + (f"__{each}" if each != "eq" else "") for each in allowed)
            raise ToolError("unknown_filter", f"Use {others or 'another field'}.")
        if operator == "is_empty":
            empty = scalars.boolean(value)
            self._add(Condition(field, "is_empty", empty), empty)
        elif isinstance(value, list):
            self._read_list(field, operator, value)
        else:
            self._read_value(field, operator, value)

    def _field(self, key: str) -> tuple[str, Field, str]:
        """The name, field and operator that a filter is about. Raises `ToolError`."""
        name, separator, operator = key.rpartition("__")
        if not separator:
            name, operator = key, "eq"
        if name == ID.name:
            return name, ID, operator
        if key.startswith(custom_fields.PREFIX) and custom_fields.is_known(
            self.crm, self.entity, key
        ):
            name, operator = key, "eq"
        field = self.entity.field(name) or custom_fields.field_of(self.crm, self.entity, name)
        if field is None:
            custom = custom_fields.pointed_to(self.crm, self.entity, name)
            said = custom or _included(self.entity, name) or suggest(name, self._filterable())
            raise ToolError("unknown_filter", said)
        return name, field, operator

    def _filterable(self) -> list[str]:
        names = [field.name for field in self.entity.fields if operators(field)]
        return [*names, IS_OPEN] if self.entity.open else names

    def _read_is_open(self, opened: Open, value: Any) -> None:
        """Also of a list that leaves some of the closed ones out: those are not asked for."""
        value = scalars.boolean(value)
        condition = is_open(self.entity, opened, value)
        self.conditions.append(condition)
        shown = list(opened.values) if value else list(condition.value)
        self.understood[IS_OPEN] = {"is": value, opened.field: shown}

    def _read_either(self, value: Any) -> None:
        """Alternatives, each of them filters that hold together."""
        if self.through or not isinstance(value, list) or not value:
            raise ToolError("invalid_value", 'Give filters to choose from: [{"a": 1}, {"b": 2}].')
        if len(value) > MOST_ALTERNATIVES:
            raise ToolError("invalid_value", f"At most {MOST_ALTERNATIVES} can be given.")
        alternatives, shown = [], []
        for each in value:
            if not isinstance(each, Mapping) or not each or EITHER in each:
                raise ToolError("invalid_value", "Each must be an object of filters, without any.")
            read = Filters(self.crm, self.entity)
            read.references, read._looked_into = self.references, self._looked_into
            read.read(each)
            self._limits |= read._limits
            self._looked_into = read._looked_into
            alternatives.append(tuple(read.conditions))
            shown.append(read.understood)
        self._add(Condition(ANY, "any", tuple(alternatives)), shown)

    def _read_through(self, relation: str, filters: Mapping[str, Any]) -> None:
        """Filters of what a relation points to, of which only what the caller sees counts."""
        field, target, key = self._target(relation)
        read = Filters(self.crm, target, relation)
        read.references = self.references
        try:
            read.read(filters)
        except ToolError as problem:
            problem.fields = {f"{relation}.{name}": said for name, said in problem.fields.items()}
            raise
        conditions = tuple(read.conditions)
        if target.paged:
            self._looked_into += 1
            if self._looked_into > MOST_LOOKED_INTO:
                raise ToolError(
                    "invalid_filter",
                    f"At most {MOST_LOOKED_INTO} relations can be looked into.",
                )
            condition = Condition(field, "related", Related(target, conditions))
        else:
            columns = tuple(target.fields)
            rows = self.crm.page(target, RowQuery(columns, "", conditions, limit=MOST_LISTED)).rows
            condition = Condition(field, "in", tuple(row[key] for row in rows))
        self.conditions.append(condition)
        self.understood |= {f"{relation}.{name}": said for name, said in read.understood.items()}
        self._limits |= read._limits
        if target.hidden_note:
            self._limits[target.hidden_note] = None
        if target.paged and not self.crm.caller.is_admin:
            seen = f"Of the {target.name} only those that this person can see are looked into."
            self._limits[seen] = None

    def _target(self, relation: str) -> tuple[Field, Entity, str]:
        """What a relation points to, and the key of its id. Raises `ToolError`."""
        field = self.entity.field(relation)
        if self.through or field is None or not field.kind.is_relation:
            relations = [each.name for each in self.entity.fields if each.kind.is_relation]
            said = "One relation at a time." if self.through else suggest(relation, relations)
            raise ToolError("unknown_filter", f"{relation!r} can't be looked into. {said}")
        target, key = self.crm.catalogue.looked_up_in(field.to)
        if target is None or target not in self.crm.catalogue.entities:
            raise ToolError("unknown_filter", f"{relation} can't be looked into here.")
        self.crm.require_scope(target, "read", f", which {relation}.… needs")
        return field, target, key

    def _read_list(self, field: Field, operator: str, values: list[Any]) -> None:
        is_date = field.kind in (Kind.DATE, Kind.DATETIME)
        if operator not in ("eq", "not") or is_date:
            raise ToolError("invalid_value", "Give one value, not a list.")
        if not 0 < len(values) <= MOST_VALUES:
            raise ToolError("invalid_value", f"Give 1 to {MOST_VALUES} values.")
        read = [self._value(field, value) for value in values]
        if operator == "eq":
            for each in read:
                self._refuse_hidden(field, each)
        self._add(
            Condition(field, "in" if operator == "eq" else "not_in", tuple(map(_bare, read))),
            [_shown(each) for each in read],
        )

    def _read_value(self, field: Field, operator: str, value: Any) -> None:
        if field.kind in (Kind.DATE, Kind.DATETIME):
            self._read_date(field, operator, value)
        elif operator == "contains":
            if not isinstance(value, str) or not value.strip():
                raise ToolError("invalid_value", "Must be text.")
            scalars.require_short(value)
            self._add(Condition(field, operator, value), value)
        else:
            read = self._value(field, value)
            if operator == "not":
                self._add(Condition(field, "not_in", (_bare(read),)), _shown(read))
                return
            self._refuse_hidden(field, read)
            self._add(Condition(field, operator, _bare(read)), _shown(read))

    def _refuse_hidden(self, field: Field, value: Any) -> None:
        for hidden in self.entity.hidden:
            if hidden.field == field.name and hidden.value == value:
                raise ToolError("hidden", hidden.why)

    def _value(self, field: Field, value: Any) -> Any:
        if value is None:
            raise ToolError("invalid_value", f"For what has no value use {field.name}__is_empty.")
        if field is ID:
            if not scalars.is_id(value):
                raise ToolError("invalid_value", "Ids are UUIDs, as records show them.")
            return value.lower()
        if field.kind.is_relation:
            return self._related(field, value)
        if field.kind is Kind.CHOICE:
            return self._choice(field, value)
        if field.kind is Kind.BOOLEAN:
            return scalars.boolean(value)
        if field.kind is Kind.INTEGER:
            return scalars.whole(value)
        if field.kind is Kind.DECIMAL:
            return scalars.written_out(scalars.decimal(value))
        if not isinstance(value, str):
            raise ToolError("invalid_value", "Must be text.")
        scalars.require_short(value)
        if field.kind is Kind.TEXT:
            # No record can hold more, so that "none" would be said of a country's name.
            require_fits(field, value)
        return value

    def _choice(self, field: Field, value: Any) -> str:
        if field.custom_key:
            definition = custom_fields.definitions(self.crm, self.entity)[field.custom_key]
            return custom_fields.choice_meant(definition, value)
        opened = self.entity.open
        try:
            return choice_value(field.choices, value)
        except ToolError as problem:
            if opened is not None and opened.field == field.name:
                problem.hint = "For all that is open, or not, use is_open: true or false."
            raise

    def _related(self, field: Field, value: Any) -> Reference:
        """What a relation is to point to, also what is known from these records only.

        Deactivated people, and accounts that the person can't open, are shown by the records that
        name them.
        """
        reason: ToolError | None = None
        try:
            found = self.references.resolve(field.to, value)
            if not isinstance(value, str) or scalars.is_id(value) or is_called(found, value):
                return found
        except ToolError as problem:
            if problem.code not in NOT_LOOKED_UP or not isinstance(value, str):
                raise
            reason = problem
        named = self._named_here(field, value.strip())
        exact = [each for each in named if is_called(each, value)]
        if len(exact) == 1:
            return exact[0]
        if reason is None:
            return found
        if len(named) == 1:
            return named[0]
        if named:
            raise ambiguous(field.to, value, [each.as_dict() for each in named]) from reason
        raise reason

    def _named_here(self, field: Field, value: str) -> list[Reference]:
        by_id = scalars.is_id(value)
        try:
            found = self.crm.gateway.referred(self.entity, field, value, by_id=by_id)
        except Refused as refusal:
            raise_for(refusal.reply, self.entity.name)
            raise
        is_person = bool(self.crm.catalogue.own_id_of(field.to))
        note = "deactivated" if is_person else f"known from {self.entity.name} only"
        listed = self.references.known(field.to, [each["id"] for each in found])
        return [
            Reference(each["id"], each.get("name", ""), "" if each["id"] in listed else note)
            for each in found
        ]

    def _read_date(self, field: Field, operator: str, value: Any) -> None:
        if not isinstance(value, str):
            raise ToolError("invalid_value", "Must be a date as text, such as 2026-01-31.")
        clock = self.crm.clock
        found = clock.range(value)
        if found is None:
            self._read_moment(field, operator, value)
            return
        first, last = found
        if doubt := clock.doubt(value):
            self._limits[doubt] = None
        late = value.strip().lower() == OVERDUE
        if late and operator != "eq":
            raise ToolError("invalid_value", f"{OVERDUE} takes no operator.")
        if late and self.entity.open is not None:
            # What is finished is not late.
            self._read_is_open(self.entity.open, True)
        start = (clock.start_of(first).isoformat(), first.isoformat()) if first else None
        end = (clock.end_of(last).isoformat(), last.isoformat()) if last else None
        if operator == "not" and start and end:
            bounds = tuple(self._bound_of(field, *each) for each in (start, end))
            self._add(Condition(field, "outside", bounds), list(bounds))
        # "At least this week" starts with its first day, "at most this week" ends with its last.
        if operator in ("eq", "gte") and start:
            self._bound(field, "gte", *start)
        if operator in ("eq", "lte") and end:
            self._bound(field, "lte", *end)
        if operator == "gt" and end:
            self._bound(field, "gt", *end)
        if operator == "lt" and start:
            self._bound(field, "lt", *start)

    def _read_moment(self, field: Field, operator: str, value: str) -> None:
        moment = self.crm.clock.moment(value)
        if moment is None or field.kind is Kind.DATE or operator in ("eq", "not"):
            raise ToolError(
                "invalid_value",
                f"Must be a date such as 2026-01-31, or one of {', '.join(RANGES)}.",
            )
        self._bound(field, operator, moment.isoformat(), "")

    def _bound(self, field: Field, operator: str, moment: str, day: str) -> None:
        value = self._bound_of(field, moment, day)
        self._add(Condition(field, operator, value), value)

    def _bound_of(self, field: Field, moment: str, day: str) -> str:
        return day if field.kind is Kind.DATE else moment

    def _add(self, condition: Condition, shown: Any) -> None:
        self.conditions.append(condition)
        key = condition.key
        for spelled, meant in (("__not_in", "__not"), ("__outside", "__not")):
            key = key.replace(spelled, meant)
        self.understood[key] = shown


def operators(field: Field) -> tuple[str, ...]:
    """The operators that this field can be filtered by."""
    return () if field.computed else field.kind.operators


def is_open(entity: Entity, opened: Open, value: bool) -> Condition:
    """The condition that a record is open, or is not."""
    field = entity.field(opened.field)
    if field is None:
        raise ToolError("unknown_filter", f"{entity.name} have no {opened.field}.")
    closed = tuple(each for each in field.choices if each not in opened.values)
    # What has no value yet is open.
    return Condition(field, "not_in" if value else "in", closed)


def require_fits(field: Field, text: str) -> None:
    """Raises `ToolError` for more characters than the field holds."""
    if field.max_length is not None and len(text) > field.max_length:
        meant = f": {field.note}" if field.note else ""
        raise ToolError("invalid_value", f"Must have at most {field.max_length} characters{meant}.")


def choice_value(choices: tuple[str, ...], value: Any) -> str:
    """The choice that is meant; spelling counts, case and separators do not."""
    if isinstance(value, str):
        for each in choices:
            if _plain(each) == _plain(value):
                return each
    raise ToolError("invalid_value", f"{value!r} is not a choice. Choices: {', '.join(choices)}.")


def _plain(choice: str) -> str:
    return " ".join(choice.lower().replace("_", " ").replace("-", " ").split())


def _included(entity: Entity, name: str) -> str:
    """Where this is to be had that is no field; empty if nowhere."""
    if name not in (each.name for each in entity.includes):
        return ""
    return f"{name} is no field: crm_get has it, with include: [{name!r}]."


def _computed(entity: Entity, field: Field) -> str:
    if field.filtered_by:
        return f"The CRM computes it: use {field.filtered_by}."
    return f"The CRM computes it for each {entity.singular} that it shows: crm_get has it."


def _bare(value: Any) -> Any:
    return value.id if isinstance(value, Reference) else value


def _shown(value: Any) -> Any:
    return value.as_dict() if isinstance(value, Reference) else value
