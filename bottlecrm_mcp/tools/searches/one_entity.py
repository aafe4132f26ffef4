"""Entity search: the records of one entity, or of several entities at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bottlecrm_mcp.catalogue.model import Duty, Entity, Field
from bottlecrm_mcp.gateway.base import DEFAULT_LIMIT, NotAvailable, Page, Refused, RowQuery
from bottlecrm_mcp.tools.arguments import custom_fields
from bottlecrm_mcp.tools.arguments.filters import Filters
from bottlecrm_mcp.tools.arguments.scalars import require_few_words
from bottlecrm_mcp.tools.crm import Crm, label_names, untrusted_fields
from bottlecrm_mcp.tools.errors import ToolError, raise_for, suggest
from bottlecrm_mcp.tools.truncation import rows_that_fit, shortened, texts_cut

# Where fewer records hold the words, so many are shown that hold words which are spelled alike.
MOST_SIMILAR = 3


def search_entity(
    crm: Crm,
    *,
    entity: str,
    query: str = "",
    filters: Mapping[str, Any] | None = None,
    fields: Sequence[str] | None = None,
    sort: str = "",
    limit: int = DEFAULT_LIMIT,
    offset: int = 0,
) -> dict[str, Any]:
    """Rows of an entity that the caller can see: few columns, a total, where to go on."""
    searched = crm.entity(entity)
    crm.require_scope(searched, "read")
    require_few_words(query)
    if query and not query.strip():
        raise ToolError("invalid_arguments", "query: It is blank. Give words, or leave it out.")
    understood = Filters(crm, searched).read(filters or {})
    page = crm.page(
        searched,
        RowQuery(
            columns=columns_of(crm, searched, fields),
            query=query.strip(),
            conditions=tuple(understood.conditions),
            sort=_sort(crm, searched, sort),
            limit=limit,
            offset=offset,
            similar=MOST_SIMILAR if query and not sort else 0,
        ),
    )
    found = [*page.rows, *page.similar]
    records = rows_that_fit([shortened(row) for row in found])
    result: dict[str, Any] = {
        "entity": searched.name,
        "records": records,
        "total": page.total + len(page.similar),
        "returned": len(records),
        "filters": understood.understood,
    }
    if query.strip():
        result["query"] = query.strip()
    if records and (page.more or offset + len(records) < page.total):
        result["next_offset"] = offset + len(records)
    if outsiders := untrusted_fields(searched, *records):
        result["untrusted"] = outsiders
    notes = [*_notes(searched, page, offset, bool(query or filters)), *understood.notes]
    if page.similar:
        which = "None has" if not page.rows else f"All but the first {len(page.rows)} lack"
        notes.append(f"{which} the words as written: these are spelled alike, the likeliest first.")
    notes += texts_cut(found)
    if len(records) < len(found):
        notes.append("Fewer records than asked for fit into one answer; go on at next_offset.")
    if notes:
        result["notes"] = notes
    return result


def columns_of(crm: Crm, entity: Entity, names: Sequence[str] | None) -> tuple[Field, ...]:
    """The fields of a row, as they were asked for. Raises `ToolError`."""
    chosen = []
    listed = [field.name for field in entity.fields if field.listed and not field.computed]
    for name in names or entity.columns:
        if name == "id":
            continue
        field = entity.field(name) or custom_fields.field_of(crm, entity, name)
        if field is None:
            said = custom_fields.pointed_to(crm, entity, name) or suggest(name, listed)
            raise ToolError("unknown_field", f"{entity.name} have no field {name!r}. {said}")
        if name not in listed and not field.custom_key:
            raise ToolError("not_supported", f"{name} is not in lists; crm_get shows it.")
        chosen.append(field)
    return tuple(dict.fromkeys(chosen))


def sortable(entity: Entity) -> list[str]:
    return [each.name for each in entity.fields if each.kind.can_sort and not each.computed]


def _sort(crm: Crm, entity: Entity, sort: str) -> tuple[tuple[Field, bool], ...]:
    order = []
    for part in filter(None, (each.strip() for each in sort.split(","))):
        name = part.removeprefix("-")
        field = entity.field(name) or custom_fields.field_of(crm, entity, name)
        if field is None or not (field.custom_key or name in sortable(entity)):
            said = custom_fields.pointed_to(crm, entity, name) or suggest(name, sortable(entity))
            raise ToolError("unknown_field", f"{entity.name} can't be sorted by {name!r}. {said}")
        order.append((field, part.startswith("-")))
    return tuple(order)


def _notes(entity: Entity, page: Page, offset: int, narrowed: bool) -> list[str]:
    notes = list(page.limits)
    if not page.total and not page.similar:
        wider = " Try fewer filters or another word." if narrowed else ""
        notes.append(f"0 results.{wider}")
        if entity.hidden_note:
            notes.append(entity.hidden_note)
    elif not page.rows and not page.similar:
        notes.append(f"offset {offset} is beyond the last of {page.total} records.")
    if page.more:
        notes.append(
            f"total stops at {page.total}; there are more. crm_summarize with the same filters "
            "counts them all."
        )
    return notes


class EntitySearch(NamedTuple):
    """One of the searches; `duty` is what it looks for, if that is one."""

    entity: Entity
    query: RowQuery
    duty: Duty | None = None


@dataclass
class SearchResults:
    """The page of each search that was answered, and sentences on the others."""

    pages: list[tuple[EntitySearch, Page]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def with_similar(self) -> SearchResults:
        """The same with what is only spelled alike among the rows, and a note that says so."""
        pages = [
            (search, Page([*page.rows, *page.similar], page.total + len(page.similar), page.limits))
            for search, page in self.pages
        ]
        notes = list(self.notes)
        if any(page.similar for _, page in self.pages):
            notes.append("None has the words as written: these are spelled alike.")
        return SearchResults(pages, notes)

    def as_result(self, name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The structured result: the rows that fit, and totals by entity."""
        records = rows_that_fit([shortened(row) for row in rows])
        totals: Counter[str] = Counter()
        for search, page in self.pages:
            totals[search.entity.name] += page.total
        result: dict[str, Any] = {
            "entity": name,
            "records": records,
            "total": totals.total(),
            "returned": len(records),
            "totals": {entity: total for entity, total in totals.items() if total},
        }
        if outsiders := self._untrusted():
            result["untrusted"] = outsiders
        notes = [*self.notes, *texts_cut(rows)]
        notes += [
            f"The total of {search.entity.name} stops at {page.total}; there are more."
            for search, page in self.pages
            if page.more
        ]
        if len(records) < totals.total():
            notes.append("Not all are shown; crm_search of one entity goes on.")
        if notes:
            result["notes"] = notes
        return result

    def _untrusted(self) -> list[str]:
        """The fields that outsiders may have written; a record's name is made of such."""
        named: dict[str, None] = {}
        for search, page in self.pages:
            label = label_names(search.entity)
            for name in untrusted_fields(search.entity, *page.rows):
                named["name" if name in label else name] = None
        return list(named)


def search_entities(crm: Crm, searches: Sequence[EntitySearch]) -> SearchResults:
    """Each search as the caller; those of the entities that the token may not read are left out."""
    found = SearchResults()
    allowed = [each for each in searches if crm.may(each.entity, "read")]
    if searches and not allowed:
        crm.require_scope(searches[0].entity, "read")
    left_out = {each.entity.name for each in searches} - {each.entity.name for each in allowed}
    if left_out:
        names = ", ".join(sorted(left_out))
        found.notes.append(f"Left out, since the token's scopes don't cover them: {names}.")
    answers = crm.gateway.pages([(each.entity, each.query) for each in allowed])
    for search, answer in zip(allowed, answers, strict=True):
        if isinstance(answer, Page):
            found.pages.append((search, answer))
            found.notes += answer.limits
        else:
            found.notes.append(_why_not(search, answer))
    found.notes = list(dict.fromkeys(found.notes))
    return found


def _why_not(search: EntitySearch, reason: NotAvailable | Refused) -> str:
    """Why there is no page. Raises `ToolError` where no search would get one."""
    if isinstance(reason, NotAvailable):
        return f"{search.entity.name}: {reason}"
    try:
        raise_for(reason.reply, search.entity.name)
    except ToolError as refusal:
        if refusal.code == "unauthorized":
            raise
        return f"{search.entity.name}: {refusal.message}"
    return f"{search.entity.name}: {reason}"
