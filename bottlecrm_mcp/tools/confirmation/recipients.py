"""Whom the CRM mails, and about what: said in a preview, refused where there is nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bottlecrm_mcp.catalogue.model import CREATED, Entity, Field, Kind
from bottlecrm_mcp.one_line import OwnWords
from bottlecrm_mcp.tools.confirmation.effects import Marked
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError

NOBODY = OwnWords("nobody: there is no e-mail address")
NOT_SHOWN = OwnWords("an address that this person cannot see")
FIRST_OF_THESE = OwnWords("only one of these: who was entered first and has an address")

Record = Mapping[str, Any]


def mail_details(
    crm: Crm, entity: Entity, marked: Iterable[Marked], record: Record, subject: str
) -> dict[str, Any]:
    """`mailed_to` and `document` of a preview; nothing where nobody is mailed.

    `record` is as the change leaves it. Raises `ToolError` if the record itself is to hold the
    address and does not.
    """
    field = entity.field(next((each.mails_to for each in marked if each.mails_to), ""))
    if field is None:
        return {}
    document = {name: record[name] for name in entity.document if name in record}
    (recipient,) = recipients(crm, field, [record], subject)
    return {"mailed_to": recipient, "document": document}


def recipients(crm: Crm, field: Field, records: Sequence[Record], subject: str) -> list[Any]:
    """Who is mailed for each of these records: an address in this field of theirs, or the address
    of whom the field points to."""
    if field.kind is Kind.EMAIL:
        return [{field.name: _own_address(field, record, subject)} for record in records]
    shown = [_pointed_to(record.get(field.name)) for record in records]
    known = _addresses(crm, field, {each["id"] for row in shown for each in row})
    return [_first(field, row, known) for row in shown]


def _own_address(field: Field, record: Record, subject: str) -> str:
    if not record.get(field.name):
        raise ToolError(
            "invalid_value",
            f"{subject[:1].upper()}{subject[1:]} has no {field.name}, and the CRM mails to no "
            "other address.",
            fields={field.name: "Is empty: nobody would be mailed."},
            hint=f"{NOTHING_CHANGED} Ask the person for the address, such as that of its contact, "
            f"and set {field.name} first.",
        )
    return str(record[field.name])


def _pointed_to(shown: Any) -> list[Record]:
    return shown if isinstance(shown, list) else [shown] if shown else []


def _addresses(crm: Crm, field: Field, ids: set[str]) -> Mapping[str, Record]:
    """Those of the records pointed to that the person may see, with their addresses."""
    target = crm.catalogue.target(field.to)
    if not ids or target is None or not crm.may(target, "read"):
        return {}
    names = (target.address, CREATED)
    columns = tuple(each for each in target.fields if each.name in names)
    return {
        pk: {"email": row.get(target.address), "since": row.get(CREATED) or ""}
        for pk, row in crm.find(target, sorted(ids), columns).items()
    }


def _first(field: Field, shown: Sequence[Record], known: Mapping[str, Record]) -> Any:
    """The CRM mails to one: who has been there longest of those with an address."""
    hidden = [{**each, "email": NOT_SHOWN} for each in shown if each["id"] not in known]
    there = [each for each in shown if each["id"] in known and known[each["id"]]["email"]]
    there.sort(key=lambda each: known[each["id"]]["since"])
    addressed = [{**each, "email": known[each["id"]]["email"]} for each in there]
    if len(addressed) + len(hidden) > 1 and hidden:
        return {field.name: addressed[:1] + hidden, "mailed_is": FIRST_OF_THESE}
    if hidden:
        return {field.name: hidden}
    return {field.name: addressed[:1]} if addressed else NOBODY
