"""Catalogue model: entities, their fields, filters, relations, actions and effects.

Everything here is a frozen declaration without behaviour of its own, importable without Django.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

# What these fields are called on every kind of record that has them.
CREATED = "created_at"
CREATOR = "created_by"
ASSIGNEES = "assigned_to"
CURRENCY = "currency"
ACCOUNT = "account"
LINE_ITEMS = "line_items"
TAX_RATE = "tax_rate"
TOTAL = "total_amount"
DUE = "amount_due"
CUSTOM_FIELDS = "custom_fields"
COMMENTS = "comments"


class Kind(StrEnum):
    """The type of a field's value, as a caller writes it and a record shows it."""

    TEXT = "text"
    EMAIL = "email"
    URL = "url"
    PHONE = "phone"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    RELATION = "relation"
    RELATIONS = "relations"
    OBJECT = "object"
    OBJECTS = "objects"

    @property
    def is_relation(self) -> bool:
        return self in (Kind.RELATION, Kind.RELATIONS)

    @property
    def is_ordered(self) -> bool:
        return self in (Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.DATETIME)

    @property
    def is_text(self) -> bool:
        return self in (Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.PHONE)

    @property
    def operators(self) -> tuple[str, ...]:
        """What a field of this kind can be filtered by; `eq` is written without an operator."""
        if self in (Kind.OBJECT, Kind.OBJECTS):
            return ()
        if self.is_ordered:
            return ("eq", "not", "gt", "gte", "lt", "lte", "is_empty")
        if self.is_text:
            return ("eq", "not", "contains", "is_empty")
        return ("eq", "not") if self is Kind.BOOLEAN else ("eq", "not", "is_empty")

    @property
    def can_sort(self) -> bool:
        return not self.is_relation and self not in (Kind.OBJECT, Kind.OBJECTS)


class Effect(StrEnum):
    """A consequence that a person has to confirm before it happens."""

    DELETES = "deletes"
    HIDES = "hides it from others"
    IRREVERSIBLE = "cannot be undone"
    REVISES = "changes a document that the customer has"
    MAILS = "e-mails people outside the organisation"


class Access(StrEnum):
    """In which requests a field may be written."""

    READ_ONLY = "read-only"
    WRITE = "create and update"
    CREATE = "create only"


@dataclass(frozen=True)
class State:
    """What a field of a record is: one of `values`, with `past` a day before today, else anything
    but empty."""

    field: str
    values: tuple[object, ...] = ()
    past: bool = False


@dataclass(frozen=True)
class Field:
    """One published field of an entity, or one parameter of an action."""

    name: str
    kind: Kind
    access: Access = Access.READ_ONLY
    required: bool = False
    # What a caller is told of it.
    note: str = ""

    # --- values
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    # What the CRM's database demands of a number, and what the CRM can count with.
    minimum: int | None = None
    maximum: int | None = None
    # What a relation points to: an entity or a look-up.
    to: str = ""
    # The fields of each object in a list of objects.
    parts: tuple[Field, ...] = ()
    # An amount in the record's own currency.
    money: bool = False
    # Text that people outside the organisation can write.
    untrusted: bool = False

    # --- in the CRM's answers
    # The dotted path where that is not `name`.
    shown_at: str = ""
    # False for a field that only a detail answer has.
    listed: bool = True
    # A value that only a serializer can give, unless it is one of the next two.
    computed: bool = False
    # The model's own method that its computing asks, of one answer for the whole organisation.
    asks: str = ""
    # Whether the record is in all of these states.
    when: tuple[State, ...] = ()
    # The model's relation to the rows that a list of objects shows.
    rows: str = ""
    # The filter that finds what a computed field says, if there is one.
    filtered_by: str = ""
    # The model's attribute where that is not `name`.
    column: str = ""
    # Another field that holds the same relation, too, and which filters by this one heed.
    also: Field | None = None
    # The key of an organisation's custom field that this is.
    custom_key: str = ""

    # --- in the body of a write
    # The key where that is not `name`, and more keys that take the same value.
    write_name: str = ""
    copied_to: tuple[str, ...] = ()
    # The key of what it points to that a create takes instead of the id.
    created_by_key: str = ""

    # --- as a parameter of an action
    # The include that must list the value: a part of another record is refused.
    part_of: str = ""
    # Optional, and makes something else of the action, such as a payment in part.
    alters: bool = False

    # --- for trying it out
    # Values of the form that the CRM demands of a text, and those for administrators alone.
    examples: tuple[str, ...] = ()
    admin_values: tuple[str | bool, ...] = ()
    # The field whose day has to be earlier.
    after: str = ""

    @property
    def writable(self) -> bool:
        return self.access is not Access.READ_ONLY

    @property
    def body_name(self) -> str:
        """Its name in the body of a write."""
        return self.write_name or self.name

    @property
    def attribute(self) -> str:
        """Its name on the model."""
        return self.column or self.name


@dataclass(frozen=True)
class RestFilter:
    """How the REST list is asked for one filter: its query parameter, and whether it repeats."""

    parameter: str
    repeats: bool = False


@dataclass(frozen=True)
class HiddenValue:
    """A value whose records the list always leaves out.

    `parameter` is the list's own query parameter that brings them back, as (name, value), where
    there is one; `why` is the sentence a caller gets where there is none.
    """

    field: str
    value: object
    why: str
    parameter: tuple[str, str] | None = None


@dataclass(frozen=True)
class Open:
    """Which records still want something: those whose `field` has one of `values`.

    `done` is the value that ticks one off, where one step does it and mails nobody.
    """

    field: str
    values: tuple[str, ...]
    done: str = ""


@dataclass(frozen=True)
class Made:
    """A record of `entity` that the CRM makes of this one, or takes where there is one already.

    `named` are groups of this record's fields that name it: the first of them that has a value, or
    all that have one if they are `joined`. There is one already whose field `found_by` equals the
    name, or this record's field `found_in`. `values` are pairs of its fields and those here that
    they are copied from, `fixed` pairs of its fields and values, `lost` fields here that it could
    have and does not get. None is made where this record has no value in any of `if_any`.
    """

    entity: str
    named: tuple[tuple[str, ...], ...]
    joined: str = ""
    found_by: str = ""
    found_in: str = ""
    values: tuple[tuple[str, str], ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    lost: tuple[str, ...] = ()
    if_any: tuple[str, ...] = ()


@dataclass(frozen=True)
class ValueEffect:
    """A field value that does more than it says, such as a lead's status `converted`.

    `alone` says that the CRM drops whatever else is in the same update. `mails_to` is the field
    with the address that is mailed, `makes` what the CRM makes of the record, `needs` are fields
    without whose values the CRM can't do it. `given` is a field and its value without which there
    is no such effect, `demands` a field that the CRM wants together with this value and takes with
    no other; `creates` is false where a new record with the value has none. `loses` are fields that
    what is made of the record lacks.
    """

    field: str
    value: str | bool
    effects: tuple[Effect, ...]
    consequence: str
    alone: bool = False
    mails_to: str = ""
    makes: tuple[Made, ...] = ()
    needs: tuple[str, ...] = ()
    given: tuple[str, object] | None = None
    demands: str = ""
    creates: bool = True
    loses: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChangeEffect:
    """An effect of changing a record in some state, whatever the new value is.

    It is of an update that changes one of `fields`, of any update where none is named, or of an
    action that lists it. Every state of the record `before`, and of what it is `after`, has to
    hold; `when` says so where crm_describe lists it. `mails_to` is the field with the address that
    is mailed. `creates` says that a new record with one of the fields has the effect, too.
    """

    effects: tuple[Effect, ...]
    consequence: str
    when: str = ""
    fields: tuple[str, ...] = ()
    before: tuple[State, ...] = ()
    after: tuple[State, ...] = ()
    mails_to: str = ""
    makes: tuple[Made, ...] = ()
    creates: bool = False


@dataclass(frozen=True)
class Section:
    """One half of a list answer: the dotted paths of its rows (empty for a bare list) and total.

    A list that comes whole needs no total.
    """

    rows: str
    total: str = ""


@dataclass(frozen=True)
class Window:
    """The part of an endless list that the CRM is asked for.

    `field` is between the days in the parameters `start` and `end`, the last `days` unless a filter
    says otherwise and `most_days` at most; `whose` is the field and parameter of the person whose
    records they are, the caller unless a filter says otherwise.
    """

    field: str
    start: str
    end: str
    days: int
    most_days: int
    whose: str


@dataclass(frozen=True)
class ApprovalRules:
    """Where an administrator makes the rules without which nobody can ask for an approval.

    `approvers` is the key with the profiles of those who approve.
    """

    path: str
    approvers: str


@dataclass(frozen=True)
class Action:
    """A request beyond create, read, update and delete."""

    name: str
    purpose: str

    # --- the request
    method: str
    # Relative to the API root. `{id}` is the record, other braces are params of the same name,
    # which leave the body.
    path: str
    params: tuple[Field, ...] = ()
    # Sent besides the params.
    body: Mapping[str, object] = field(default_factory=dict)
    # The part of a multipart body that a file is in: the action answers with an address for it.
    upload: str = ""
    # A relation of the same entity: the request is made for every record below this one, too.
    descendants: str = ""
    # The CRM serves the route without an access check of its own.
    unguarded: bool = False
    admin_only: bool = False

    # --- the answer
    # Keys of the answer, or of the object under one of these dotted paths; a list there stands for
    # the row of it that `newest_by` says was made last.
    returns: tuple[str, ...] = ()
    returns_in: tuple[str, ...] = ("",)
    newest_by: str = ""
    # Such a key holds a record of this entity.
    returns_entity: str = ""

    # --- what it does
    # The effects that it always has; `consequence` completes "This will …" in a preview.
    effects: tuple[Effect, ...] = ()
    consequence: str = ""
    # Those that depend on the record.
    change_effects: tuple[ChangeEffect, ...] = ()
    # The record's field with the address that is mailed.
    mails_to: str = ""
    # What the CRM makes of the record.
    makes: tuple[Made, ...] = ()
    # What takes it back.
    way_back: str = ""
    # Fields without whose values the CRM can't do it.
    needs: tuple[str, ...] = ()
    # What the record is where nothing is left to do, or the CRM refuses it; `approval.state` is of
    # the part that is meant.
    not_when: tuple[State, ...] = ()
    # Whether the record has to be merged into another one for this, or must not be.
    of_merged: bool | None = None
    # Fields that what is made of the record lacks.
    loses: tuple[str, ...] = ()
    # The field that says when it was done last, which a preview tells: it would be done again.
    done_at: str = ""

    # --- for trying it out
    # The action that has to come before, and what the record's fields are then (None: empty).
    follows: str = ""
    state: Mapping[str, object] = field(default_factory=dict)
    # The include that gets a row more, and what the record shows afterwards.
    adds: str = ""
    # What the CRM wants before it, and whether it is done by another person than whoever asked.
    rules: ApprovalRules | None = None
    by_another: bool = False
    shows: Mapping[str, object] = field(default_factory=dict)

    @property
    def possible_effects(self) -> tuple[Effect, ...]:
        depending = (effect for each in self.change_effects for effect in each.effects)
        return tuple(dict.fromkeys((*self.effects, *depending)))

    @property
    def parts(self) -> tuple[Field, ...]:
        """The params that name a part of the record."""
        return tuple(each for each in self.params if each.part_of)

    @property
    def takes_all(self) -> bool:
        """Whether it takes the record away with all that belongs to it."""
        return Effect.DELETES in self.effects and not self.parts


@dataclass(frozen=True)
class Included:
    """Something that `crm_get` can add to a record.

    Read from `rows`, a dotted path in the detail answer or, with a `path` of its own, in that
    answer (`{id}` is the record in path and parameters); or as the records of another entity whose
    relation `by` points here. `newest_by` is the key that the rows are put in order by, the newest
    first, where the CRM gives them in no order. `continues` names another list, whose rows the CRM
    changes and deletes in the same way.
    """

    name: str
    purpose: str
    rows: str = ""
    keys: tuple[str, ...] = ()
    path: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    entity: str = ""
    by: str = ""
    newest_by: str = ""
    untrusted: bool = False
    continues: str = ""
    # Rows that are kept with records of any kind, by content type: their model, its fields, and
    # the values that they have to have. Some detail answers bundle a megabyte more.
    model: str = ""
    fields: tuple[Field, ...] = ()
    only: tuple[tuple[str, object], ...] = ()
    # Of files: that model's attribute, and the path that gives the bytes of the one with this id.
    file: str = ""
    download: str = ""


@dataclass(frozen=True, kw_only=True)
class Entity:
    """One kind of record, and the whole contract of the CRM for it."""

    name: str
    singular: str
    # What people call it, too.
    aliases: tuple[str, ...] = ()
    # What scopes call it; `write_resource` for writes, where that is another.
    resource: str
    fields: tuple[Field, ...]

    # --- identity: how people and tools tell records apart
    # The fields of a row unless others are asked for.
    columns: tuple[str, ...]
    # Those that together name a record, in groups that are tried until one has a value.
    label: tuple[tuple[str, ...], ...]
    # Those whose equal value makes a possible duplicate.
    identity: tuple[tuple[str, ...], ...] = ()
    # Relations of which duplicates have one in common, where both have any: then a label that says
    # nearly the same makes one, and the same label under another account makes none.
    alike_within: tuple[str, ...] = ()
    # Those that are not finished, closed or cancelled; None where there is no such state.
    open: Open | None = None
    # The caller's id that "me" stands for, of the entity that is people.
    own: str = ""
    # The target model of the organisation's custom fields for it; empty where it has none.
    custom_fields: str = ""

    # Its page in the CRM's web application, with the record's id as `{id}`; empty where none is.
    web_path: str = ""

    # --- REST: how it is read
    # The list's path; a record is at `path + id + "/"`.
    path: str
    sections: tuple[Section, ...]
    list_parameters: Mapping[str, str] = field(default_factory=dict)
    # False for a list that comes whole and is not narrowed by LimitOffsetPagination: it is
    # searched, sorted and counted in memory, and its fields must all be in its rows.
    paged: bool = True
    # The part that is read of a list without an end.
    window: Window | None = None
    # False where there is no detail view: a record is read from the list.
    has_detail: bool = True
    # Where the detail answer has the record, a dotted path.
    detail_key: str = ""
    # Without these the detail view of a merged record only says where it went.
    merged_parameters: Mapping[str, str] = field(default_factory=dict)
    includes: tuple[Included, ...] = ()
    # The list's own search, filters and orders; the parameter is empty where it has no search.
    search_parameter: str = "search"
    rest_filters: Mapping[str, RestFilter] = field(default_factory=dict)
    rest_sort: Mapping[str, str] = field(default_factory=dict)
    # The list comes so by itself.
    newest_first: bool = False

    # --- model: what the database is asked
    # `app_label.Model`.
    model: str
    # False for a table that several organisations share.
    row_security: bool = True
    search_fields: tuple[str, ...] = ()
    # What the list always leaves out, by values, and what is said of it.
    hidden: tuple[HiddenValue, ...] = ()
    hidden_note: str = ""

    # --- writes: how it is created, changed and deleted
    # Dotted paths of the serializers (create, update); empty where the views use none.
    write_serializers: tuple[str, str] | tuple[()] = ()
    # Where a create goes, with fields of its body in braces, and where other writes go, if not to
    # `path`.
    create_path: str = ""
    write_path: str = ""
    write_resource: str = ""
    # Administrators alone create, update and delete.
    admin_writes: bool = False
    update_method: str = "PATCH"
    # The fields that only a PUT changes, whatever `update_method` is, and those that it repeats.
    put_fields: tuple[str, ...] = ()
    sent_with_updates: tuple[str, ...] = ()
    # At most one of these may be set.
    exclusive: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    # What the CRM offers instead, a sentence each.
    no_create: str = ""
    no_update: str = ""
    no_delete: str = ""
    no_comments: str = ""

    # --- effects: what a person has to confirm
    value_effects: tuple[ValueEffect, ...] = ()
    change_effects: tuple[ChangeEffect, ...] = ()
    delete_effects: tuple[Effect, ...] = (Effect.DELETES, Effect.IRREVERSIBLE)
    delete_consequence: str = ""
    # What a failure (500) of a create or update may come of, and what helps.
    known_failure: str = ""
    # Why a deleted record may still be there, and what brings it back.
    kept_after_delete: str = ""
    delete_way_back: str = ""
    # Entities whose records go with a deleted one, and those whose records keep it from being
    # deleted, each with the relation that points here.
    deletes_with: tuple[tuple[str, str], ...] = ()
    held_by: tuple[tuple[str, str], ...] = ()
    # What a preview of what mails the record shows of it, and the field of the address.
    document: tuple[str, ...] = ()
    address: str = ""

    def field(self, name: str) -> Field | None:
        return next((each for each in self.fields if each.name == name), None)

    def column(self, name: str) -> str:
        """The model's attribute of a field."""
        field = self.field(name)
        return field.attribute if field else name

    def action(self, name: str) -> Action | None:
        return next((each for each in self.actions if each.name == name), None)

    def lists_of(self, name: str) -> tuple[Included, ...]:
        """The list of this name, and those that continue it."""
        if not name:
            return ()
        return tuple(each for each in self.includes if name in (each.name, each.continues))

    def record_path(self, record_id: str) -> str:
        return f"{self.path}{record_id}/"

    def method_of_update(self, names: Iterable[str]) -> str:
        """The HTTP method that changes these fields."""
        return self.update_method if set(names).isdisjoint(self.put_fields) else "PUT"

    @property
    def path_of_create(self) -> str:
        """The path of a create, with fields of its body in braces."""
        return self.create_path or self.write_path or self.path

    def written_at(self, record_id: str) -> str:
        """The path of a write to one record."""
        return f"{self.write_path or self.path}{record_id}/"

    def web_address_of(self, record_id: str, web_address: str) -> str:
        """The record's page, where the web application is at `web_address`; empty if none."""
        if not (self.web_path and web_address):
            return ""
        return web_address + self.web_path.format(id=record_id)

    def resource_for(self, access: str) -> str:
        """What a token's scopes call this entity, for `read` or `write`."""
        return self.write_resource or self.resource if access == "write" else self.resource

    @property
    def is_read_only(self) -> bool:
        return bool(self.no_create and self.no_update and self.no_delete)

    @cached_property
    def writable_fields(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.writable)


@dataclass(frozen=True)
class Lookup:
    """What relations point to and is no entity: a user, say, who is found as a person.

    `label` are the model's columns that name it, in groups as for an entity. It is looked up among
    the records of `entity`, whose field `key` holds its id; without those it is only shown.
    `own` is the caller's id that "me" stands for: `user_id` or `profile_id`.
    """

    name: str
    singular: str
    label: tuple[tuple[str, ...], ...]
    entity: str = ""
    key: str = ""
    own: str = ""


@dataclass(frozen=True)
class Duty:
    """Records of an entity that wait for somebody; `what` says so in a word or two.

    `filters` are those of a search, without whose they are. `due` is the day that they wait for,
    `urgency` a field whose values in `urgent` press, the first most, `answered` one that is empty
    until somebody answered, `missed` computed ones that say that a promise was broken, each with
    which it was. `tells` are fields without which nobody knows what it is about.
    """

    entity: str
    what: str
    filters: Mapping[str, object]
    due: str = ""
    urgency: str = ""
    urgent: tuple[str, ...] = ()
    answered: str = ""
    missed: tuple[tuple[Field, str], ...] = ()
    tells: tuple[str, ...] = ()


@dataclass(frozen=True)
class PromptArgument:
    """An argument of a prompt.

    `default` stands in where it is not given; it is completed from the records of `entity`.
    """

    name: str
    description: str
    default: str = ""
    entity: str = ""

    @property
    def required(self) -> bool:
        return not self.default


@dataclass(frozen=True)
class Prompt:
    """A text that a person starts from; `text` has its arguments in braces, if it has any.

    `when` says in which situation, for clients that choose by themselves.
    """

    name: str
    title: str
    description: str
    when: str
    text: str
    arguments: tuple[PromptArgument, ...] = ()

    def filled_in(self, values: Mapping[str, str]) -> str:
        """The text with these values of its arguments; braces around anything else stay."""
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), self.text)


@dataclass(frozen=True)
class Catalogue:
    """All that this server knows of one CRM.

    `entities` are served. `optional` are served where they are asked for; relations to them are
    named in any case. `duties` are what a person's day is made of, `prompts` what they start from.
    `withheld` are keys of the CRM's answers that no tool passes on: drop-down data of its own
    screens, and what opens an invoice to anyone.
    """

    entities: tuple[Entity, ...]
    lookups: tuple[Lookup, ...]
    profile_path: str
    organisation_path: str
    optional: tuple[Entity, ...] = ()
    duties: tuple[Duty, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    withheld: frozenset[str] = frozenset()

    def with_entities(self, names: Iterable[str]) -> Catalogue:
        """The same with some of the optional entities served. Raises `UnknownEntities`."""
        wanted = set(names)
        if unknown := sorted(wanted - {each.name for each in self.optional}):
            raise UnknownEntities(unknown, [each.name for each in self.optional])
        chosen = tuple(each for each in self.optional if each.name in wanted)
        return replace(self, entities=(*self.entities, *chosen))

    def entity(self, name: str) -> Entity | None:
        """A served entity."""
        return next((each for each in self.entities if each.name == name), None)

    def meant_by(self, name: str) -> Entity | None:
        """The served entity that a person means: `deals`, `Lead`."""
        wanted = name.strip().lower()
        named = (each for each in self.entities if wanted in (each.singular, *each.aliases))
        return self.entity(wanted) or next(named, None)

    def target(self, name: str) -> Entity | None:
        """An entity that a relation points to, served or not."""
        return next((each for each in (*self.entities, *self.optional) if each.name == name), None)

    def lookup(self, name: str) -> Lookup | None:
        return next((each for each in self.lookups if each.name == name), None)

    def looked_up_in(self, target: str) -> tuple[Entity | None, str]:
        """The entity among whose records a relation's target is found, and the key of its id."""
        lookup = self.lookup(target)
        return (self.target(lookup.entity), lookup.key) if lookup else (self.target(target), "id")

    def own_id_of(self, target: str) -> str:
        """Which of the caller's ids "me" stands for where a relation points to people, else ""."""
        known = self.lookup(target) or self.target(target)
        return known.own if known else ""

    def label_columns(self, target: str) -> tuple[tuple[str, ...], ...]:
        """The columns that name a record of an entity or look-up, in groups."""
        if entity := self.target(target):
            return tuple(tuple(map(entity.column, group)) for group in entity.label)
        lookup = self.lookup(target)
        return lookup.label if lookup else ()

    @property
    def entity_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.entities)


class UnknownEntities(ValueError):
    """Names of optional entities that the catalogue does not have."""

    def __init__(self, unknown: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(f"no such entity: {', '.join(unknown)}; known are {', '.join(known)}")
