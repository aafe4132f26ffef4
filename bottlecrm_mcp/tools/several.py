"""Several searches as one: what each found, how many in all, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bottlecrm_mcp.catalogue.model import Duty, Entity
from bottlecrm_mcp.gateway.base import NotAvailable, Page, Refused, RowQuery
from bottlecrm_mcp.tools.budget import rows_that_fit, shortened
from bottlecrm_mcp.tools.crm import Crm, label_names
from bottlecrm_mcp.tools.entity_search import untrusted_fields
from bottlecrm_mcp.tools.errors import ToolError, raise_for


class Search(NamedTuple):
    """One of the searches; `duty` is what it looks for, if that is one."""

    entity: Entity
    query: RowQuery
    duty: Duty | None = None


@dataclass
class Found:
    """The page of each search that was answered, and sentences on the others."""

    pages: list[tuple[Search, Page]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

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
        notes = list(self.notes)
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


def search_several(crm: Crm, searches: Sequence[Search]) -> Found:
    """Each search as the caller; those of the entities that the token may not read are left out."""
    found = Found()
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


def _why_not(search: Search, reason: NotAvailable | Refused) -> str:
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
