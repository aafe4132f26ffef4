"""Which records a call on several is about: ids, filters, or the data of new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import KEY_REUSED, EarlierWrite, RowQuery, WriteKey
from bottlecrm_mcp.tools.arguments.filters import Filters
from bottlecrm_mcp.tools.arguments.references import References, record_meant
from bottlecrm_mcp.tools.confirmation.confirm import fingerprint
from bottlecrm_mcp.tools.crm import Crm, digest, label_fields
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError
from bottlecrm_mcp.tools.prepared import Prepared
from bottlecrm_mcp.tools.schemas import MOST_CHANGED

# Hex digits of the parts that the digest of a keyed write is made of.
PART = 16
GIVE_ONE = "Give one of `id`, `ids` and `filters`."


@dataclass(frozen=True)
class Several:
    """A change that is to be made to several records of an entity.

    `arguments` are the tool's without those that say which records. `prepare` reads one of them,
    by its id or, of those that are made, by its place. `way_back` is the action's or the delete's.
    """

    tool: str
    entity: Entity
    arguments: Mapping[str, Any]
    verb: str
    prepare: Callable[[str, References], Prepared]
    with_dependents: bool = False
    way_back: str = ""


@dataclass(frozen=True)
class Meant:
    """The records that are meant: `ids`, or the places of those that are made.

    `understood` is what the preview says of the filters that found them. `asked` is a digest of all
    arguments as they were given, `key` that of the client's key, and `earlier` what an earlier call
    under it has done.
    """

    several: Several
    ids: Sequence[str]
    asked: str
    understood: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    earlier: Mapping[str, EarlierWrite] = field(default_factory=dict)

    def key_of(self, record_id: str, state: str, agreed: str, *, is_begun: bool) -> WriteKey | None:
        """The key of the write to one of them, which says to what state of it, and of all of them,
        a person agreed.

        Once the call `is_begun`, the client's key is known to be this call's.
        """
        if not self.key:
            return None
        several = self.several
        known = "" if several.tool == "crm_create" else record_id
        parts = f"{self.asked}{state}{agreed}"
        key, entity = f"{self.key}:{record_id}", several.entity.name
        call = "" if is_begun else self.asked
        return WriteKey(key, parts, several.tool, entity, known, call)


def one_meant(
    record_id: str | None, ids: Sequence[str] | None, filters: Mapping[str, Any] | None
) -> str | None:
    """The one record that is meant; None where there may be several. Raises `ToolError`."""
    if [record_id, ids, filters].count(None) != 2:
        raise ToolError("invalid_arguments", GIVE_ONE)
    if ids is not None and len(set(ids)) == 1:
        return ids[0]
    return record_id


def records_meant(
    crm: Crm,
    several: Several,
    ids: Sequence[str] | None,
    filters: Mapping[str, Any] | None,
    key: str,
) -> Meant:
    """The records that these ids or filters mean, read ahead. Raises `ToolError`."""
    entity = several.entity
    crm.require_scope(entity, "read", ", without which there is no preview to confirm")
    named = list(dict.fromkeys(record_meant(crm, entity, each) for each in ids or ()))
    which = {"ids": sorted(named)} if filters is None else {"filters": dict(filters)}
    asked = _asked(several, which)
    earlier = _earlier(crm, entity, key, asked)
    understood: dict[str, Any] = {}
    if filters is not None:
        found = _read(crm, entity, filters)
        understood = {"filters": found.understood}
        if found.notes:
            understood["notes"] = found.notes
        # Those that are done may match no longer.
        named = list(dict.fromkeys((*earlier, *_matching(crm, entity, found, bool(earlier)))))
    crm.meant.extend(named)
    crm.read_ahead(
        entity,
        [each for each in named if each not in earlier],
        with_dependents=several.with_dependents,
    )
    return Meant(several, named, asked, understood, digest(key) if key else "", earlier)


def new_records(
    crm: Crm, several: Several, records: Sequence[Mapping[str, Any]], key: str
) -> Meant:
    """The places of records that are to be made."""
    asked = _asked(several, {})
    earlier = _earlier(crm, several.entity, key, asked)
    places = [str(place) for place in range(len(records))]
    return Meant(several, places, asked, {}, digest(key) if key else "", earlier)


def _asked(several: Several, which: Mapping[str, Any]) -> str:
    return fingerprint({"tool": several.tool, **several.arguments, **which})


def _earlier(crm: Crm, entity: Entity, key: str, asked: str) -> Mapping[str, EarlierWrite]:
    """What a call with the same arguments did under this key. Raises `GatewayError`."""
    earlier = crm.gateway.writes_under(entity, digest(key)) if key else {}
    if any(not each.digest.startswith(asked) for each in earlier.values()):
        raise KEY_REUSED
    # Without the key itself, which says that it is this call's.
    return {added: each for added, each in earlier.items() if added}


def _read(crm: Crm, entity: Entity, filters: Mapping[str, Any]) -> Filters:
    if not filters:
        raise ToolError("invalid_filter", "filters: Give at least one, or ids.")
    return Filters(crm, entity).read(filters)


def _matching(crm: Crm, entity: Entity, filters: Filters, is_begun: bool) -> Iterable[str]:
    query = RowQuery(
        label_fields(entity),
        conditions=tuple(filters.conditions),
        limit=MOST_CHANGED,
        exact=True,
    )
    page = crm.page(entity, query)
    if page.total > MOST_CHANGED:
        raise ToolError(
            "too_large",
            f"{page.total} {entity.name} match these filters, and one call changes at most "
            f"{MOST_CHANGED}.",
            hint=f"{NOTHING_CHANGED} Narrow them, or go through parts of them: by created_at, for "
            f"instance, or with the ids of crm_search.",
        )
    if not page.total and not is_begun:
        hidden = f" {entity.hidden_note}" if entity.hidden_note else ""
        said = f"No {entity.name} match these filters.{hidden}"
        raise ToolError("not_found", said, hint=NOTHING_CHANGED)
    return [row["id"] for row in page.rows]
