"""Context of a tool call, `Crm`: the caller, the catalogue, the gateway."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, ParamSpec, TypeVar

from bottlecrm_mcp.catalogue.model import Catalogue, Entity, Field
from bottlecrm_mcp.gateway.base import (
    Caller,
    EarlierWrite,
    Gateway,
    GatewayError,
    NotAvailable,
    Page,
    RecordChanged,
    Refused,
    Reply,
    RowQuery,
    Summary,
    SummaryQuery,
    Watched,
    WriteKey,
)
from bottlecrm_mcp.gateway.shared.rows import dig, holds, label_of, row_of
from bottlecrm_mcp.tools.arguments.call_limits import CallLimits
from bottlecrm_mcp.tools.arguments.dates import Clock
from bottlecrm_mcp.tools.confirmation.seal import Seal
from bottlecrm_mcp.tools.errors import ToolError, raise_for, suggest
from bottlecrm_mcp.tools.files import FileLinks

P = ParamSpec("P")
T = TypeVar("T")

MOST_TRIES = 10


@dataclass(frozen=True)
class FormAnswer:
    """What a person answered in the client's confirmation form; nothing yet by default.

    `cancelled` is one that was declined by closing it, which a client may do by itself.
    """

    confirmation: str = ""
    accepted: bool = False
    declined: bool = False
    cancelled: bool = False


@dataclass(frozen=True)
class ReadAhead:
    """A record that was read together with others, and is watched since."""

    row: Mapping[str, Any]
    watched: Watched | None


@dataclass
class Crm:
    """One tool call's view of the CRM.

    `sealed` is the confirmation policy: whether the confirmation string of the preview is needed.
    `form` is set where the client confirms by a form.
    """

    caller: Caller
    catalogue: Catalogue
    gateway: Gateway
    seal: Seal
    sealed: bool = False
    form: FormAnswer | None = None
    call_limits: CallLimits = field(default_factory=CallLimits)
    # Of the CRM's web application, without a slash at the end; empty where it is not known.
    web_address: str = ""
    # None where the files of records can't be had by links.
    files: FileLinks | None = None
    # The organisation's custom fields of an entity, once they were looked up.
    custom_fields: dict[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    # Records of one entity that are yet to be looked at one by one.
    ahead: dict[str, ReadAhead] = field(default_factory=dict)
    # Those of them that are in no list of the caller's.
    unlisted: frozenset[str] = frozenset()
    # Ids of the records that the arguments mean, as they are found; for the call log.
    meant: list[str] = field(default_factory=list)

    @cached_property
    def clock(self) -> Clock:
        return Clock(self.caller.timezone)

    def entity(self, name: str) -> Entity:
        """The entity that is meant. Raises `ToolError`, which names the nearest."""
        found = self.catalogue.meant_by(name)
        if found is None:
            raise ToolError(
                "unknown_entity",
                f"There is no entity {name!r}. {suggest(name, self.catalogue.entity_names)}",
            )
        return found

    def may(self, entity: Entity, access: str) -> bool:
        """Whether the token's scopes cover `read` or `write` of an entity."""
        return self.caller.may(entity.resource_for(access), access)

    def require_scope(self, entity: Entity, access: str, reason: str = "") -> None:
        """Refuse what the token's scopes don't cover, by naming the scope that is missing."""
        if access == "write" and self.caller.read_only:
            raise ToolError("policy", self.caller.read_only)
        if not self.may(entity, access):
            raise lacks_scope(self.caller, f"{entity.resource_for(access)}:{access}", reason)

    def page(self, entity: Entity, query: RowQuery) -> Page:
        """The rows of a search. Raises `ToolError` where the CRM can't or won't give them."""
        try:
            return self.gateway.page(entity, query)
        except NotAvailable as limit:
            raise ToolError("not_supported", str(limit)) from limit
        except Refused as refusal:
            raise_for(refusal.reply, entity.name)
            raise

    def summarize(self, entity: Entity, query: SummaryQuery) -> Summary:
        """Counts and sums of the records. Raises `ToolError` as `page` does."""
        try:
            return self.gateway.summarize(entity, query)
        except NotAvailable as limit:
            raise ToolError("not_supported", str(limit)) from limit
        except Refused as refusal:
            raise_for(refusal.reply, entity.name)
            raise

    def find(
        self, entity: Entity, ids: Sequence[str], fields: Sequence[Field]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Those of these records that the caller's list holds, by their ids."""
        try:
            return self.gateway.find(entity, ids, fields)
        except Refused as refusal:
            raise_for(refusal.reply, entity.name)
            raise

    def detail(self, entity: Entity, record_id: str) -> Mapping[str, Any]:
        """The whole answer of the detail view. Raises `ToolError` if it is not to be had."""
        subject = f"{entity.singular} {record_id}"
        if not entity.has_detail:
            raise ToolError("not_found", f"{subject} was not found.")
        reply = self.gateway.read(entity.record_path(record_id))
        raise_for(reply, subject)
        if entity.merged_parameters and not dig(reply.data, entity.detail_key):
            # A merged case answers with where it went, whoever asks; this checks the access.
            reply = self.gateway.read(entity.record_path(record_id), entity.merged_parameters)
            raise_for(reply, subject)
        record = dig(reply.data, entity.detail_key)
        if not isinstance(record, Mapping):
            raise ToolError("not_found", f"{subject} was not found.")
        answer: Mapping[str, Any] = reply.data
        return answer

    def is_merged(self, entity: Entity, record_id: str) -> bool:
        """Whether a record that the caller sees was merged into another one."""
        if record_id in self.ahead or self.find(entity, [record_id], ()):
            return False
        reply = self.gateway.read(entity.record_path(record_id))
        return reply.ok and not dig(reply.data, entity.detail_key)

    def record(self, entity: Entity, record_id: str) -> dict[str, Any]:
        """Every published field of one record that has a value.

        The caller's list is asked first where it holds every field: some detail views of BottleCRM
        cost thousands of queries.
        """
        if self._lists_all(entity) or record_id in self.ahead:
            return self._found(entity, record_id, entity.fields)
        return row_of(entity.fields, dig(self.detail(entity, record_id), entity.detail_key))

    def brief(self, entity: Entity, record_id: str) -> dict[str, Any]:
        """The fields of one record that lists have; all that most questions about it need."""
        return self._found(entity, record_id, listed_fields(entity))

    def state(self, entity: Entity, record_id: str) -> dict[str, Any]:
        """The same as `record`, without what a serializer counts or names: no write changes it."""
        if not (fields := self._state_fields(entity)):
            return self.record(entity, record_id)
        return self._found(entity, record_id, fields)

    def state_as_written(self, entity: Entity, record_id: str, reply: Reply) -> dict[str, Any]:
        """The same as `state`, of one that was written just now with `written_columns`."""
        if reply.record is None:
            return self.state(entity, record_id)
        return self._judged(entity.fields, reply.record)

    def as_written(self, entity: Entity, record_id: str, reply: Reply) -> dict[str, Any]:
        """The same as `record`, of one that was written just now with `written_columns`."""
        others = self._serialized(entity)
        told = dig(reply.data, entity.detail_key) if others else {"id": record_id}
        if reply.record is None or not isinstance(told, Mapping) or told.get("id") != record_id:
            return self.record(entity, record_id)
        return {**row_of(others, told), **self._judged(entity.fields, reply.record)}

    def brief_as_written(self, entity: Entity, record_id: str, reply: Reply) -> dict[str, Any]:
        """The same as `brief`, of one that was written just now with `brief_columns`."""
        if reply.record is None:
            return self.brief(entity, record_id)
        return self._judged(listed_fields(entity), reply.record)

    def written_columns(self, entity: Entity) -> tuple[Field, ...]:
        """What a write is to read back; nothing where only the detail view has all of it."""
        return stored_fields(self._state_fields(entity))

    def brief_columns(self, entity: Entity) -> tuple[Field, ...]:
        return stored_fields(listed_fields(entity))

    def _lists_all(self, entity: Entity) -> bool:
        return self._state_fields(entity) == entity.fields

    def _state_fields(self, entity: Entity) -> tuple[Field, ...]:
        """The fields that a write may change; nothing where only the detail view has them."""
        others = self._serialized(entity)
        fields = tuple(field for field in entity.fields if field not in others)
        return fields if all(field.when or self.gateway.finds(field) for field in fields) else ()

    def _serialized(self, entity: Entity) -> tuple[Field, ...]:
        """The fields that a serializer alone can give, from other records."""
        return tuple(
            each for each in entity.fields if each.computed and not (each.when or each.rows)
        )

    def read_ahead(
        self, entity: Entity, ids: Sequence[str], *, with_dependents: bool = False
    ) -> None:
        """Read these records at once; what is asked of each of them later is answered from that.

        Not where this way to the CRM reads them one by one anyway.
        """
        # Before they are read: what changes meanwhile counts as changed.
        watched = {
            each: self.gateway.watch(entity, each, with_dependents=with_dependents) for each in ids
        }
        if None in watched.values():
            return
        stored = tuple(each for each in entity.fields if self.gateway.finds(each) and not each.when)
        found = self.find(entity, ids, stored)
        self.ahead = {each: ReadAhead(found[each], watched[each]) for each in ids if each in found}
        self.unlisted = frozenset(ids) - found.keys()

    def watch(
        self, entity: Entity, record_id: str, *, with_dependents: bool = False
    ) -> Watched | None:
        """A record to be read from now on, and then written to."""
        if record_id in self.ahead:
            return self.ahead[record_id].watched
        return self.gateway.watch(entity, record_id, with_dependents=with_dependents)

    def _found(self, entity: Entity, record_id: str, fields: tuple[Field, ...]) -> dict[str, Any]:
        """These fields of one record, from the caller's list if it is there."""
        stored = stored_fields(fields)
        if ahead := self.ahead.get(record_id):
            names = {"id", *(field.name for field in stored)}
            row: Mapping[str, Any] | None = {
                name: value for name, value in ahead.row.items() if name in names
            }
        elif record_id in self.unlisted:
            row = None
        else:
            row = self.find(entity, [record_id], stored).get(record_id)
        if row is None:
            # Lists leave records out that the caller may see, such as converted leads.
            return row_of(fields, dig(self.detail(entity, record_id), entity.detail_key))
        return self._judged(fields, row)

    def _judged(self, fields: Iterable[Field], row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with the fields that are a question of its others and the time."""
        judged = {
            field.name: all(holds(state, row, self.clock.today) for state in field.when)
            for field in fields
            if field.when
        }
        return {**row, **judged}

    def saved(self, read: Callable[[], dict[str, Any]], entity: Entity) -> dict[str, Any]:
        """`record` of the answer to a write: null, with the reason, where it can't be shown."""
        if not self.may(entity, "read"):
            reason = f"This token lacks the scope {entity.resource}:read."
            return {"record": None, "record_not_shown": reason}
        try:
            record = read()
            outsiders = untrusted_fields(entity, record)
            return {"record": record, **({"untrusted": outsiders} if outsiders else {})}
        # Not errors here: to the agent it would look as if nothing was written.
        except ToolError as gone:
            reason = gone.hint or gone.message
        except GatewayError:
            reason = "Only reading it back failed."
        return {"record": None, "record_not_shown": f"This is done. {reason}"}

    def web_address_of(self, entity: Entity, record_id: str) -> str:
        """The record's page in the web application; empty where there is none."""
        return entity.web_address_of(record_id, self.web_address)

    def label(self, entity: Entity, record: Mapping[str, Any]) -> str:
        """What a person calls this record."""
        return label_of(entity, record) or f"{entity.singular} {record.get('id', '')}".strip()


def stored_fields(fields: Iterable[Field]) -> tuple[Field, ...]:
    return tuple(field for field in fields if not field.when)


def listed_fields(entity: Entity) -> tuple[Field, ...]:
    return tuple(field for field in entity.fields if field.listed and not field.computed)


def stored(entity: Entity, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without what the CRM computes when it is asked, which changes by itself.

    The deadlines of a case that waits for its customer move on with the clock.
    """
    computed = {field.name for field in entity.fields if field.computed}
    return {name: value for name, value in record.items() if name not in computed}


def identity(entity: Entity, record: Mapping[str, Any]) -> dict[str, Any]:
    """The few fields that tell this record from others."""
    names = ("id", *entity.columns)
    return {name: record[name] for name in names if name in record}


def untrusted_fields(entity: Entity, *records: Mapping[str, Any]) -> list[str]:
    """The fields in these records that people outside the organisation may have written."""
    return [
        field.name
        for field in entity.fields
        if field.untrusted and any(field.name in record for record in records)
    ]


def known_as(crm: Crm, entity: Entity, record_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as a preview shows it: what a person knows it by, customer and amount too."""
    names = dict.fromkeys((*entity.columns, *entity.document))
    shown = {key: record[key] for key in names if key in record}
    return {"id": record_id, "name": crm.label(entity, {"id": record_id, **record}), **shown}


def untrusted_shown(entity: Entity, *shown: Mapping[str, Any]) -> list[str]:
    """The same of what a preview shows, where `name` is what the record is called."""
    names = untrusted_fields(entity, *shown)
    is_named = any("name" in each for each in shown) and "name" not in names
    called = any(field.untrusted for field in label_fields(entity))
    return [*names, "name"] if is_named and called else names


def judged_again(tool: Callable[P, T]) -> Callable[P, T]:
    """The tool, begun anew where a record changed between its look at it and its write.

    A confirmation is used up by then, so what was agreed to gets a new preview.
    """

    @wraps(tool)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(MOST_TRIES - 1):
            with suppress(RecordChanged):
                return tool(*args, **kwargs)
        return tool(*args, **kwargs)

    return tried


def label_names(entity: Entity) -> set[str]:
    """The fields that together name a record."""
    return {name for group in entity.label for name in group}


def label_fields(entity: Entity) -> tuple[Field, ...]:
    names = label_names(entity)
    return tuple(field for field in entity.fields if field.name in names)


def lacks_scope(caller: Caller, scope: str, reason: str = "") -> ToolError:
    """The error of a call that needs a scope which the caller's token does not have."""
    hint = f"The person can create a token with {scope} under Settings → API Tokens."
    if caller.by_oauth:
        hint = f"The person can allow {scope} when the client connects again."
    return ToolError(
        "insufficient_scope", f"This token lacks the scope {scope}{reason}.", hint=hint
    )


def write_key(
    crm: Crm, entity: Entity, key: str, tool: str, arguments: Mapping[str, Any]
) -> tuple[WriteKey | None, EarlierWrite | None]:
    """The key, if there is one, and the write that was made under it before."""
    if not key:
        return None, None
    text = json.dumps([tool, arguments], sort_keys=True, ensure_ascii=False)
    # Of the key, too: it is the client's, who may put anything into it.
    made = WriteKey(digest(key), digest(text), tool, entity.name, arguments.get("id", ""))
    return made, crm.gateway.written_before(entity, made)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
