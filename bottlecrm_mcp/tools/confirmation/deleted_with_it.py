"""What goes with a record that is deleted: bound by a confirmation, and told in its preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import Condition, Dependents, Page, RowQuery, Watched
from bottlecrm_mcp.gateway.shared.rows import part_of
from bottlecrm_mcp.one_line import OwnWords
from bottlecrm_mcp.tools.crm import Crm, label_fields
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.get import part_rows

MOST_NAMED = 10
# Where only the caller's lists tell what there is, so many of them are read.
MOST_READ = 500

HIDDEN = OwnWords("and others that this person cannot see")


@dataclass(frozen=True)
class DeletedWithIt:
    """`bound` is what a confirmation depends on, `details` what a preview says."""

    bound: Any
    details: Mapping[str, Any]

    @property
    def untrusted(self) -> list[str]:
        """Comments come from outsiders too, and many a name does."""
        return [key for key in ("among_them",) if key in self.details]


def deleted_with_it(
    crm: Crm, entity: Entity, record_id: str, watched: Watched | None
) -> DeletedWithIt:
    """Counts, up to ten names of each kind, and whether there is more than the caller sees.

    Raises `ToolError` if there is more than a confirmation can be bound to.
    """
    known = watched.dependents if watched else None
    limit = MOST_NAMED if known else MOST_READ
    pages = related(crm, entity.deletes_with, record_id, limit)
    if known:
        _require_known(entity, known.is_complete)
        return DeletedWithIt(known.digest, _told(crm, entity, pages, known))
    _require_known(entity, all(page.total == len(page.rows) for page in pages.values()))
    parts = _parts(crm, entity, record_id)
    counts = {name: len(rows) for name, rows in parts.items()}
    named = {name: [_text(row) for row in rows[:MOST_NAMED]] for name, rows in parts.items()}
    bound = {"related": {name: vars(page) for name, page in pages.items()}, "parts": parts}
    return DeletedWithIt(bound, _told(crm, entity, pages, Dependents(counts, "", named=named)))


def related(
    crm: Crm, relations: tuple[tuple[str, str], ...], record_id: str, limit: int
) -> dict[str, Page]:
    """The records of each entity that point here, of those that the caller can see."""
    found = {}
    for entity_name, field_name in relations:
        # Also those that are not served: they hold the record all the same.
        entity = crm.catalogue.target(entity_name)
        field = entity.field(field_name) if entity else None
        if entity and field and crm.may(entity, "read"):
            by_record = (Condition(field, "eq", record_id),)
            query = RowQuery(label_fields(entity), conditions=by_record, limit=limit, exact=True)
            found[entity_name] = crm.page(entity, query)
    return {name: page for name, page in found.items() if page.total}


def _told(crm: Crm, entity: Entity, pages: Mapping[str, Page], known: Dependents) -> dict[str, Any]:
    """What a preview says; of other entities only what the caller may see is counted and named."""
    seen = {name: page.total for name, page in pages.items()}
    by_lists = {name for name, _ in entity.deletes_with}
    hidden = {
        name: HIDDEN
        for name, total in known.counts.items()
        if name in by_lists and total > seen.get(name, 0)
    }
    counts = {**{key: value for key, value in known.counts.items() if key not in by_lists}, **seen}
    told = {
        "deleted_with_it": counts,
        "among_them": {
            **{name: _labels(crm, name, page) for name, page in pages.items()},
            **known.named,
        },
        "not_shown": hidden,
    }
    return {key: value for key, value in told.items() if value}


def _labels(crm: Crm, entity_name: str, page: Page) -> list[str]:
    entity = crm.catalogue.target(entity_name)
    return [crm.label(entity, row) for row in page.rows[:MOST_NAMED]] if entity else []


def _require_known(entity: Entity, is_complete: bool) -> None:
    if not is_complete:
        raise ToolError(
            "not_supported",
            f"More goes with this {entity.singular} than a person could confirm here.",
            hint="Nothing was changed. Delete it in the CRM itself.",
        )


def _parts(crm: Crm, entity: Entity, record_id: str) -> dict[str, list[dict[str, Any]]]:
    """The lists that the record's own answer has, such as comments."""
    lists = [each for each in entity.includes if each.rows and not each.path and not each.entity]
    if not lists:
        return {}
    detail = cache(partial(crm.detail, entity, record_id))
    found = {
        each.name: [
            part_of(row, each.keys) for row in part_rows(crm, entity, each, record_id, detail)
        ]
        for each in lists
    }
    return {name: rows for name, rows in found.items() if rows}


def _text(row: Mapping[str, Any]) -> str:
    return next((str(value) for key, value in row.items() if key != "id"), "")
