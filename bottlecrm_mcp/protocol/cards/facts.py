"""Facts for a card, in the `_meta` of a result: labels, addresses and calls, none for the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import CUSTOM_FIELDS, Entity, Field, Kind
from bottlecrm_mcp.tools.arguments import custom_fields
from bottlecrm_mcp.tools.arguments.measures import grouping_of, measure_of
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.tool import Tool

META = "io.bottlecrm/card"
# What is shown otherwise than as text.
KINDS = {
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
    Kind.DECIMAL: "number",
    Kind.INTEGER: "number",
}
# Of rows that are of several entities.
ROW_FIELDS = {"due": {"label": "Due", "kind": "date"}, "why": {"label": "Why"}}
# What a person calls the parts of a preview.
PREVIEW = {
    "params": "With",
    "data": "With",
    "count": "Records",
    "mailed_to": "Mail goes to",
    "deleted_with_it": "Goes with it",
    "document": "It is about",
    "already_so": "Already so",
    "done_before": "Done before",
    "left_today": "Left today",
    "way_back": "To take it back",
}
# Ways back without the names of tools.
TOOLS = (
    (re.compile(r"crm_update of the (\w+)"), r"change the \1 again"),
    (re.compile(r"crm_action (\w+)"), r"the action \1"),
    (re.compile(r"crm_delete"), "delete it"),
)
DID = {
    "crm_create": "created",
    "crm_update": "updated",
    "crm_delete": "deleted",
    "crm_action": "done",
}

Json = Mapping[str, Any]


def facts(crm: Crm, tool: Tool, arguments: Json, result: Json) -> dict[str, Any]:
    """What the card of this result shows beside it, and may call."""
    shown = _entities(crm, result)
    preview = result.get("preview", {})
    labels = {name: {"label": label} for name, label in PREVIEW.items() if name in preview}
    known: dict[str, Any] = {
        "tool": tool.name,
        "arguments": dict(arguments),
        "singular": {each.name: each.singular for each in shown},
        "fields": {
            **{name: about for each in shown for name, about in _fields(each).items()},
            **labels,
        },
        "said": _said(preview),
        "pages": _pages(crm, shown),
        "done": _done(crm, shown),
        "did": _did(tool, result),
    }
    if len(shown) != 1 or result.get("entity") != shown[0].name:
        return {**known, "fields": {**known["fields"], **ROW_FIELDS}}
    (entity,) = shown
    if "groups" in result:
        return {**known, **_summary(crm, entity, arguments)}
    record = result.get("record") or result.get("result", {}).get("record")
    # Those of crm_get are a level deeper, beside the lists that belong to them.
    several = [row["record"] for row in result.get("records", ()) if "record" in row]
    rows = [row for row in (record, *several, *result.get("records", ())) if row]
    if any(name.startswith(CUSTOM_FIELDS) for row in rows for name in row):
        known["custom"] = {
            key: str(each.get("label") or key)
            for key, each in custom_fields.definitions(crm, entity).items()
        }
    if record:
        known["name"] = crm.label(entity, record)
    if several:
        known["names"] = {str(each["id"]): crm.label(entity, each) for each in several}
    return known


def _said(preview: Json) -> dict[str, str]:
    """What a card says instead of the preview's own words, which are for an assistant."""
    way_back = str(preview.get("way_back", ""))
    for pattern, said in TOOLS:
        way_back = pattern.sub(said, way_back)
    return {"way_back": way_back} if way_back else {}


def _entities(crm: Crm, result: Json) -> list[Entity]:
    """The entities whose records are in the result."""
    rows = (row.get("entity") for row in result.get("records", ()))
    names = dict.fromkeys([result.get("entity"), *rows])
    return [entity for name in names if (entity := crm.catalogue.entity(str(name)))]


def _fields(entity: Entity) -> dict[str, dict[str, str]]:
    """Labels and kinds, those first that tell records apart."""
    first = {name: entity.field(name) for name in entity.columns}
    fields = [each for each in first.values() if each]
    fields += [each for each in entity.fields if each.name not in first]
    return {each.name: _about(each) for each in fields}


def _about(field: Field) -> dict[str, str]:
    kind = "money" if field.money else KINDS.get(field.kind, "term" if _has_terms(field) else "")
    return {"label": label_of(field.name), **({"kind": kind} if kind else {})}


def _has_terms(field: Field) -> bool:
    """Whether its choices are written as constants: CLOSED_WON, and not a currency."""
    return any("_" in each and each.isupper() for each in field.choices)


def label_of(name: str) -> str:
    """What a person calls a field: `closed_on` is "Closed on"."""
    return name.replace("_", " ").capitalize()


def _pages(crm: Crm, entities: Iterable[Entity]) -> dict[str, str]:
    """Addresses in the CRM's web application, with `{id}` for the record's."""
    pages = {each.name: crm.web_address_of(each, "{id}") for each in entities}
    return {name: page for name, page in pages.items() if page}


def _done(crm: Crm, entities: Iterable[Entity]) -> dict[str, dict[str, Any]]:
    """What ticks a record off, for those that this person may write."""
    return {
        each.name: {"field": each.open.field, "value": each.open.done}
        for each in entities
        if each.open and each.open.done and not crm.caller.read_only and crm.may(each, "write")
    }


def _did(tool: Tool, result: Json) -> str:
    """What became of the record; a card says of nothing that it is done before it is."""
    if result.get("repeated"):
        return "done before"
    if "upload" in result.get("result", {}):
        return "waits for the file"
    if result.get("changed") == {}:
        return "nothing to change"
    return DID.get(tool.name, "")


def _summary(crm: Crm, entity: Entity, arguments: Json) -> dict[str, Any]:
    wanted = dict.fromkeys(arguments.get("group_by") or ())
    chosen = [measure_of(crm, entity, each) for each in arguments.get("measures") or ("count",)]
    return {
        "groups": [grouping_of(crm, entity, each).key for each in wanted],
        "measures": {each.key: {"money": bool(each.field and each.field.money)} for each in chosen},
        "top": bool(arguments.get("top")),
    }
