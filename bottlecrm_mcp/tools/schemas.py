"""Pieces of JSON Schema that the tools' contracts are made of."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}
# Of results, whose lists say for themselves what they are of.
LIST: Schema = {"type": "array"}
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
# How many records one call may change, and how many it may make.
MOST_CHANGED = 100
MOST_CREATED = 50
WHICH: Schema = {
    "id": RECORD_ID,
    "ids": a_list(
        TEXT,
        minItems=1,
        maxItems=MOST_CHANGED,
        description="Instead of id.",
    ),
    "filters": an_object("Instead of id, as in crm_search."),
}
IDEMPOTENCY_KEY: Schema = {**TEXT, "minLength": 1, "maxLength": 128}
CONFIRMING: Schema = {
    "confirm": {
        **FLAG,
        "description": "true only after the person has agreed to the preview.",
    },
    "confirmation": text("From the preview."),
}

# Of results. The record is null where the token may write but not read; some clients can't read a
# list of types.
SAVED: Schema = {}
CONFIRMABLE: Schema = {
    "confirmation_required": FLAG,
    "preview": ANYTHING,
    "confirmation": TEXT,
}
# What became of several records.
SEVERAL: Schema = {"done": LIST}
