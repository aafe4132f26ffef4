"""Values of a write: names looked up, dates and choices understood, the rest refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Access, Entity, Field, Kind
from bottlecrm_mcp.tools.arguments import custom_fields, scalars
from bottlecrm_mcp.tools.arguments.custom_fields import PREFIX
from bottlecrm_mcp.tools.arguments.dates import A_DAY
from bottlecrm_mcp.tools.arguments.filters import choice_value, require_fits
from bottlecrm_mcp.tools.arguments.list_changes import changed_list, is_list_change
from bottlecrm_mcp.tools.arguments.references import Reference, References
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import MOST_FIELDS, NOTHING_CHANGED, ToolError, suggest

MOST_ITEMS = 100
# What a look-up fails of, whatever the value is.
NOT_ABOUT_THE_VALUE = ("insufficient_scope", "unauthorized", "crm_error")

WANTED: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.EMAIL: "an e-mail address",
    Kind.URL: "a web address",
    Kind.INTEGER: "a whole number",
    Kind.DECIMAL: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a date, such as 2026-01-31 or today",
    Kind.DATETIME: "a date and time, such as 2026-01-31T14:30",
    Kind.CHOICE: "one of the field's choices",
    Kind.OBJECT: "an object",
    Kind.OBJECTS: "a list of objects",
}

Read = Callable[[Field, Any], Any]


class Values:
    """Reads the `data` of a write, or the `params` of an action, into a request body.

    `body` has the CRM's keys and ids; `understood` has what was resolved, to be shown. What is read
    for several records shares its `references`.
    """

    def __init__(self, crm: Crm, subject: str, references: References | None = None) -> None:
        self.crm = crm
        self.subject = subject
        self.references = references or References(crm)
        self.body: dict[str, Any] = {}
        self.understood: dict[str, Any] = {}
        self._problems: dict[str, str] = {}
        self._doubts: list[str] = []
        # The record that is updated, as it is.
        self._before: Mapping[str, Any] = {}

    def read_create(self, entity: Entity, data: Mapping[str, Any]) -> Values:
        fields = entity.writable_fields
        self._read(fields, data, entity)
        self._require(fields, data)
        for field in fields:
            if field.created_by_key and field.name in self.understood:
                ids = [each["id"] for each in self.understood[field.name]]
                self.body[field.body_name] = self.references.keys(field, ids)
        return self._done()

    def read_update(
        self, entity: Entity, data: Mapping[str, Any], before: Mapping[str, Any]
    ) -> Values:
        self._before = before
        for field in entity.fields:
            if field.access is Access.CREATE and field.name in data:
                self._problems[field.name] = f"Can't be changed: {field.note}."
        self._read(entity.writable_fields, data, entity)
        for field in entity.writable_fields:
            if field.required and field.name in data and data[field.name] in (None, ""):
                self._problems[field.name] = "Can't be empty."
        if not data:
            raise ToolError("invalid_arguments", "`data` names no field to change.")
        return self._done()

    def read_expected(self, entity: Entity, expect: Mapping[str, Any]) -> Values:
        self._read(entity.writable_fields, expect, entity)
        return self._done("can't be compared with this")

    def read_params(self, params: Iterable[Field], given: Mapping[str, Any]) -> Values:
        fields = tuple(params)
        self._read(fields, given, None)
        self._require(fields, given)
        return self._done()

    def warnings(self, entity: Entity, record: Mapping[str, Any] | None) -> list[str]:
        """Relations that the CRM did not take, ids that could not be looked up, days in doubt."""
        warnings = list(self._doubts)
        for field in entity.writable_fields:
            if not field.kind.is_relation:
                continue
            ids = self._sent_ids(field)
            if record is not None:
                if missing := ids.keys() - _ids(record.get(field.name)):
                    named = ", ".join(sorted(ids[each] or each for each in missing))
                    warnings.append(f"{field.name}: the CRM did not take {named}.")
            elif unchecked := sorted(ids.keys() & set(self.references.unchecked)):
                warnings.append(f"{field.name}: the token may not look up {', '.join(unchecked)}.")
        return warnings

    def _sent_ids(self, field: Field) -> dict[str, str]:
        """The names of the records that this field is to point to, by their ids."""
        shown = self.understood.get(field.name) or ()
        references = [shown] if isinstance(shown, Mapping) else shown
        return {each["id"]: each["name"] for each in references}

    def _done(self, said: str = "can't be written like this") -> Values:
        if self._problems:
            raise ToolError(
                "invalid_value",
                f"{self.subject} {said}.",
                fields=self._problems,
                hint=NOTHING_CHANGED,
            )
        return self

    def _require(self, fields: Iterable[Field], given: Mapping[str, Any]) -> None:
        for field in fields:
            values = (given.get(field.name), given.get(field.body_name))
            if field.required and all(value in (None, "") for value in values):
                self._problems.setdefault(field.name, f"Is required: {self._wanted(field)}.")

    def _wanted(self, field: Field) -> str:
        """What a value of this field looks like."""
        if field.kind.is_relation:
            target = self.crm.catalogue.target(field.to) or self.crm.catalogue.lookup(field.to)
            return f"{target.singular if target else field.to} by id or name"
        return f"one of {', '.join(field.choices)}" if field.choices else WANTED[field.kind]

    def _read(
        self, fields: tuple[Field, ...], given: Mapping[str, Any], entity: Entity | None
    ) -> None:
        by_name = {field.name: field for field in fields}
        # The body's own spelling is understood too (account_id for account).
        by_name |= {field.body_name: field for field in fields}
        for name, value in self._gathered(given).items():
            if len(self._problems) >= MOST_FIELDS:
                # No more are told, and to look for the nearest names takes time.
                break
            field = by_name.get(name)
            if field is None:
                self._problems[name] = self._unknown(name, fields, entity)
                continue
            try:
                read = self._value(field, value, entity)
                self.body |= dict.fromkeys((field.body_name, *field.copied_to), read)
            except ToolError as problem:
                if problem.candidates or problem.code in NOT_ABOUT_THE_VALUE:
                    problem.fields = {field.name: problem.message}
                    raise
                self._problems[name] = " ".join(
                    part for part in (problem.message, problem.hint) if part
                )

    def _gathered(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The same with `custom_fields.KEY` as part of the object that they are sent in."""
        dotted = {name: value for name, value in given.items() if name.startswith(PREFIX)}
        if not dotted:
            return dict(given)
        rest = {name: value for name, value in given.items() if name not in dotted}
        whole = rest.get(CUSTOM_FIELDS)
        if whole is not None and not isinstance(whole, Mapping):
            return rest
        return rest | {
            CUSTOM_FIELDS: {
                **(whole or {}),
                **{name.removeprefix(PREFIX): value for name, value in dotted.items()},
            }
        }

    def _unknown(self, name: str, fields: tuple[Field, ...], entity: Entity | None) -> str:
        if entity is not None and entity.field(name) is not None:
            return "Is read-only."
        if entity is not None and (said := custom_fields.pointed_to(self.crm, entity, name)):
            return said
        if not fields:
            return "No parameters are taken."
        return f"No such field. {suggest(name, (field.name for field in fields))}"

    def _value(self, field: Field, value: Any, entity: Entity | None) -> Any:
        if field.kind.is_relation:
            return self._relation(field, value)
        if value is None:
            return None
        if field.kind is Kind.OBJECT:
            return self._custom(entity, value)
        if field.kind is Kind.OBJECTS:
            return self._items(field, value)
        readers: dict[Kind, Read] = {
            Kind.CHOICE: _choice,
            Kind.BOOLEAN: _boolean,
            Kind.INTEGER: _number,
            Kind.DECIMAL: _number,
            Kind.DATE: self._date,
            Kind.DATETIME: self._moment,
        }
        read: Read = readers.get(field.kind, _text)
        return read(field, value)

    def _relation(self, field: Field, value: Any) -> Any:
        if is_list_change(field, value):
            current = self._before.get(field.name) or ()
            found: Any = changed_list(self.references, field, value, current)
        else:
            found = self.references.resolve_field(field, value)
        if isinstance(found, list):
            self.understood[field.name] = [each.as_dict() for each in found]
            return [each.id for each in found]
        if isinstance(found, Reference):
            self.understood[field.name] = found.as_dict()
            return found.id
        return None

    def _date(self, field: Field, value: Any) -> str:
        day = self.crm.clock.day(value) if isinstance(value, str) else None
        if day is None:
            raise ToolError("invalid_value", f"Must be a date: {A_DAY}.")
        scalars.require_near(day)
        if doubt := self.crm.clock.doubt(value):
            self._doubts.append(f"{field.name}: {doubt}")
        self.understood[field.name] = day.isoformat()
        return day.isoformat()

    def _moment(self, field: Field, value: Any) -> str:
        moment = self.crm.clock.moment(value) if isinstance(value, str) else None
        if moment is None:
            raise ToolError("invalid_value", "Must be a date and time: 2026-01-31T14:30.")
        return moment.isoformat()

    def _custom(self, entity: Entity | None, value: Any) -> dict[str, Any]:
        if entity is None or not isinstance(value, Mapping):
            raise ToolError("invalid_value", "Must be an object of {key: value}.")
        known = custom_fields.definitions(self.crm, entity)
        for key in value:
            if key not in known:
                raise ToolError("unknown_field", f"No custom field {key!r}. {suggest(key, known)}")
        return {
            key: custom_fields.value_of(self.crm, known[key], each) for key, each in value.items()
        }

    def _items(self, field: Field, value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            raise ToolError("invalid_value", f"Must be a list of at most {MOST_ITEMS} objects.")
        return [self._item(field, index, each) for index, each in enumerate(value)]

    def _item(self, field: Field, index: int, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ToolError("invalid_value", f"Item {index} must be an object.")
        try:
            return Values(self.crm, f"Item {index}").read_params(field.parts, value).body
        except ToolError as problem:
            said = "; ".join(f"{name}: {text}" for name, text in problem.fields.items())
            raise ToolError("invalid_value", f"Item {index}: {said}") from problem


def sent_value(field: Field, shown: Any) -> Any:
    """A value of a record as a request body has it."""
    if field.kind is Kind.RELATIONS:
        return [each["id"] for each in shown or ()]
    if field.kind is Kind.RELATION:
        return shown["id"] if shown else None
    return shown


def _choice(field: Field, value: Any) -> str:
    return "" if value == "" and not field.required else choice_value(field.choices, value)


def _boolean(field: Field, value: Any) -> bool:
    return scalars.boolean(value)


def _number(field: Field, value: Any) -> int | str:
    number = scalars.whole(value) if field.kind is Kind.INTEGER else scalars.decimal(value)
    if field.minimum is not None and number < field.minimum:
        raise ToolError("invalid_value", f"Must be at least {field.minimum}.")
    if field.maximum is not None and number > field.maximum:
        raise ToolError("invalid_value", f"Must be at most {field.maximum}.")
    return number if isinstance(number, int) else scalars.written_out(number)


def _text(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ToolError("invalid_value", "Must be text.")
    text = str(value)
    require_fits(field, text)
    return text


def _ids(shown: Any) -> set[str]:
    references = shown if isinstance(shown, list) else [shown] if shown else []
    return {each["id"] for each in references}
