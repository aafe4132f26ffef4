"""Pieces of JSON Schema that the tools' contracts are made of."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}
LONGEST_TEXT = 200


def text(description: str) -> Schema:
    return {**TEXT, "maxLength": LONGEST_TEXT, "description": description}


def an_object(description: str) -> Schema:
    return {"type": "object", "description": description}


def a_list(items: Schema, **limits: Any) -> Schema:
    return {"type": "array", "items": items, **limits}


# The registry fills in the names of the entities that are served.
ENTITY: Schema = {"type": "string", "enum": []}
RECORD_ID: Schema = {**TEXT, "description": "The record's id, or a name that only one has."}
DATA = an_object(
    "Field values, as crm_describe lists them. Relations take ids or names, people also an "
    "e-mail or 'me'; dates take ISO, today, friday or in_N_days."
)
CHANGES = an_object(
    "As in crm_create. A list of relations replaces; {add: [...], remove: [...]} changes it."
)
IDEMPOTENCY_KEY: Schema = {**TEXT, "minLength": 1, "maxLength": 128}
CONFIRMING: Schema = {
    "confirm": {
        **FLAG,
        "default": False,
        "description": "true only after the person has agreed to the preview.",
    },
    "confirmation": text("The confirmation string that came with the preview."),
}

# Of results. The record is null where the token may write but not read; some clients can't read a
# list of types.
SAVED: Schema = {}
CONFIRMABLE: Schema = {
    "confirmation_required": FLAG,
    "preview": ANYTHING,
    "confirmation": TEXT,
    "declined": FLAG,
    "next": TEXT,
}
