"""Tool registry: names, arguments, results and hints, as a client sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from bottlecrm_mcp.catalogue.model import Catalogue
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.tools.action import crm_action
from bottlecrm_mcp.tools.arguments.call_limits import CallLimits
from bottlecrm_mcp.tools.confirmation.confirm import (
    ConfirmationRequired,
    Declined,
    require_not_declined,
)
from bottlecrm_mcp.tools.create import crm_create
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.delete import crm_delete
from bottlecrm_mcp.tools.describe import crm_describe, list_actions
from bottlecrm_mcp.tools.errors import ToolError, suggest
from bottlecrm_mcp.tools.get import crm_get
from bottlecrm_mcp.tools.my_day import MY_DAY
from bottlecrm_mcp.tools.search import crm_search
from bottlecrm_mcp.tools.search_all import ALL
from bottlecrm_mcp.tools.summarize import crm_summarize
from bottlecrm_mcp.tools.truncation import fitted
from bottlecrm_mcp.tools.update import crm_update

Schema = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """One tool: its contract, and the function that does it.

    `needs` is the kind of access without which the tool is of no use: `read`, `write` or none.
    """

    name: str
    title: str
    description: str
    run: Callable[..., dict[str, Any]]
    arguments: Schema
    required: tuple[str, ...]
    result: Schema
    needs: str
    destructive: bool = False
    idempotent: bool = False
    outward: bool = False

    @cached_property
    def input_schema(self) -> Schema:
        return {
            "type": "object",
            "properties": self.arguments,
            "required": list(self.required),
            "additionalProperties": False,
        }

    @cached_property
    def output_schema(self) -> Schema:
        return {"type": "object", "properties": self.result}

    @cached_property
    def validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.input_schema)

    def call(self, crm: Crm, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The structured result. Raises `ToolError`; nothing is sent for bad arguments.

        Raises `ConfirmationRequired` only where the client confirms by a form.
        """
        self._require_valid(arguments, crm.call_limits)
        arguments = self._with_whole_numbers(arguments)
        try:
            if self.needs == "write":
                require_not_declined(crm)
            answer = fitted(self.run(crm, **arguments))
            if self.needs == "write":
                return crm.call_limits.without_excess(answer)
        except ConfirmationRequired as required:
            if crm.form is not None:
                raise
            answer = fitted(required.as_dict(crm.entity(arguments["entity"])))
        except Declined:
            return {
                "entity": arguments["entity"],
                "declined": True,
                "next": "The person declined. Nothing was changed.",
            }
        crm.call_limits.require_fits(answer)
        return answer

    def _require_valid(self, arguments: Mapping[str, Any], call_limits: CallLimits) -> None:
        for name in arguments:
            if name not in self.arguments:
                raise ToolError(
                    "invalid_arguments",
                    f"{self.name} takes no argument {name!r}. {suggest(name, self.arguments)}",
                )
        call_limits.require_clean(arguments)
        error: ValidationError | None = best_match(self.validator.iter_errors(arguments))
        if error is not None:
            where = ".".join(str(part) for part in error.path) or self.name
            if where == "entity" and isinstance(arguments["entity"], str):
                # The tool itself names the nearest entities.
                return
            raise ToolError("invalid_arguments", f"{where}: {error.message}")

    def _with_whole_numbers(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """50 for 50.0, which is the same number in JSON and in JSON Schema, and not in Python."""
        return {
            name: int(value)
            if isinstance(value, float) and self.arguments[name].get("type") == "integer"
            else value
            for name, value in arguments.items()
        }


class Registry:
    """The tools for one catalogue, in a fixed order."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.tools = _tools(catalogue)
        self._by_name = {tool.name: tool for tool in self.tools}

    def get(self, name: str) -> Tool | None:
        return self._by_name.get(name)

    def offered_to(self, caller: Caller) -> list[Tool]:
        """The tools that this caller's scopes leave any use for."""
        return [tool for tool in self.tools if not tool.needs or self._is_of_use(caller, tool)]

    def _is_of_use(self, caller: Caller, tool: Tool) -> bool:
        resources = {
            entity.resource_for(tool.needs)
            for entity in self.catalogue.entities
            if tool.needs == "read" or not entity.is_read_only
        }
        return any(caller.may(each, tool.needs) for each in resources)


TEXT: Schema = {"type": "string"}
LONGEST_TEXT = 200
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {"type": "object"}


def _text(description: str) -> Schema:
    return {**TEXT, "maxLength": LONGEST_TEXT, "description": description}


def _object(description: str) -> Schema:
    return {"type": "object", "description": description, "additionalProperties": True}


def _list(items: Schema, **limits: Any) -> Schema:
    return {"type": "array", "items": items, **limits}


def _tools(catalogue: Catalogue) -> tuple[Tool, ...]:
    entity: Schema = {
        "type": "string",
        "enum": list(catalogue.entity_names),
        "description": "Kind of record.",
    }
    record_id: Schema = {**TEXT, "description": "The record's id, a UUID from crm_search."}
    confirming: Schema = {
        "confirm": {
            **FLAG,
            "default": False,
            "description": "true only after the person has agreed to the preview.",
        },
        "confirmation": _text("The confirmation string that came with the preview."),
    }
    data = _object(
        "Field values, as crm_describe lists them. Relations take ids or names, people also an "
        "e-mail or 'me'; dates take ISO, today, tomorrow or in_N_days."
    )
    filters = _object(
        "field: value, field: [a, b], field__gte, field__lte, field__contains, field__is_empty: "
        "true; custom_fields.KEY: value. Dates take ISO or today, this_week, last_month, "
        "last_30_days, overdue and the like. People, accounts, tags and so on by id or name; 'me' "
        "is the person."
    )
    # null where the token may write but not read.
    saved: Schema = {**ANYTHING, "type": ["object", "null"]}
    key: Schema = {**TEXT, "minLength": 1, "maxLength": 128}
    once = {
        **key,
        "description": "Your id for this call: repeated within 24 hours, it is done once.",
    }
    confirmable: Schema = {
        "confirmation_required": FLAG,
        "preview": ANYTHING,
        "confirmation": TEXT,
        "declined": FLAG,
        "next": TEXT,
    }
    return (
        Tool(
            "crm_search",
            "Search records",
            "List and search records the person can see, newest first. Returns a few identifying "
            "fields per record and the total. entity=all looks for a query everywhere; "
            "entity=my_day lists what waits for the person: tasks, cases, follow-ups, deals, "
            "invoices.",
            crm_search,
            {
                "entity": {**entity, "enum": [*catalogue.entity_names, ALL, MY_DAY]},
                "query": _text("Words to look for in names, e-mails and the like."),
                "filters": filters,
                "fields": _list(
                    TEXT, maxItems=20, description="Fields to return instead of the default ones."
                ),
                "sort": _text("A field, with - in front for descending: -amount. Default newest."),
                "limit": {**WHOLE, "minimum": 1, "maximum": 50, "default": 20},
                "offset": {**WHOLE, "minimum": 0, "maximum": 1_000_000, "default": 0},
            },
            ("entity",),
            {
                "entity": TEXT,
                "records": _list(ANYTHING),
                "total": WHOLE,
                "returned": WHOLE,
                "next_offset": WHOLE,
                "totals": ANYTHING,
                "filters": ANYTHING,
                "query": TEXT,
                "untrusted": _list(TEXT),
                "notes": _list(TEXT),
            },
            "read",
            idempotent=True,
        ),
        Tool(
            "crm_summarize",
            "Count and sum records",
            "Counts, sums, averages, minimum and maximum over the records the person can see, in "
            "groups: pipeline by stage, leads per source, overdue invoices by account. Use it "
            "instead of adding up search results.",
            crm_summarize,
            {
                "entity": entity,
                "group_by": _list(
                    TEXT,
                    maxItems=2,
                    description="Up to two fields; a date with a period: created_at:month "
                    "(day, week, month, quarter, year).",
                ),
                "measures": _list(
                    TEXT,
                    maxItems=6,
                    description="count (default), sum:FIELD, avg:FIELD, min:FIELD, max:FIELD.",
                ),
                "filters": _object("As in crm_search."),
            },
            ("entity",),
            {
                "entity": TEXT,
                "groups": _list(ANYTHING),
                "total": ANYTHING,
                "filters": ANYTHING,
                "notes": _list(TEXT),
            },
            "read",
            idempotent=True,
        ),
        Tool(
            "crm_get",
            "Get a record",
            "Every field of one record, and with `include` its comments, attachments and related "
            "records (crm_describe lists what can be included).",
            crm_get,
            {
                "entity": entity,
                "id": record_id,
                "include": _list(TEXT, maxItems=10),
            },
            ("entity", "id"),
            {
                "entity": TEXT,
                "id": TEXT,
                "record": ANYTHING,
                "untrusted": _list(TEXT),
                "notes": _list(TEXT),
            },
            "read",
            idempotent=True,
        ),
        Tool(
            "crm_create",
            "Create a record",
            "Create a record. Answers with it as saved, and names possible duplicates.",
            crm_create,
            {"entity": entity, "data": data, **confirming, "idempotency_key": once},
            ("entity", "data"),
            {
                "entity": TEXT,
                "id": TEXT,
                "record": saved,
                "possible_duplicates": _list(ANYTHING),
                "warnings": _list(TEXT),
                "repeated": FLAG,
                **confirmable,
            },
            "write",
        ),
        Tool(
            "crm_update",
            "Update a record",
            "Change fields of a record. Answers with what changed, before and after.",
            crm_update,
            {
                "entity": entity,
                "id": record_id,
                "data": data,
                **confirming,
            },
            ("entity", "id", "data"),
            {
                "entity": TEXT,
                "id": TEXT,
                "record": saved,
                "changed": ANYTHING,
                "warnings": _list(TEXT),
                **confirmable,
            },
            "write",
            destructive=True,
            idempotent=True,
            outward=True,
        ),
        Tool(
            "crm_delete",
            "Delete a record",
            "Delete a record. Without confirm=true nothing is deleted and a preview is returned.",
            crm_delete,
            {"entity": entity, "id": record_id, **confirming},
            ("entity", "id"),
            {
                "entity": TEXT,
                "id": TEXT,
                "deleted": FLAG,
                "name": TEXT,
                "warnings": _list(TEXT),
                **confirmable,
            },
            "write",
            destructive=True,
            idempotent=True,
        ),
        Tool(
            "crm_action",
            "Run an action",
            "Convert a lead, comment, send or cancel an invoice and so on; list_actions lists "
            "them. What can't be undone or mails a customer returns a preview until confirm=true.",
            crm_action,
            {
                "entity": entity,
                "id": record_id,
                "action": _text("The action's name, from list_actions."),
                "params": _object("Parameters of the action, from list_actions."),
                **confirming,
                "idempotency_key": key,
            },
            ("entity", "id", "action"),
            {
                "entity": TEXT,
                "id": TEXT,
                "action": TEXT,
                "result": ANYTHING,
                "warnings": _list(TEXT),
                "repeated": FLAG,
                **confirmable,
            },
            "write",
            destructive=True,
            outward=True,
        ),
        Tool(
            "crm_describe",
            "Describe an entity",
            "The fields of an entity with types, choices and limits, its filters, sorts, actions "
            "and the organisation's custom fields.",
            crm_describe,
            {"entity": entity},
            ("entity",),
            {
                "entity": TEXT,
                "fields": _list(ANYTHING),
                "filters": ANYTHING,
                "sort": _list(TEXT),
                "actions": _list(ANYTHING),
                "include": ANYTHING,
                "source": TEXT,
                "notes": _list(TEXT),
            },
            "",
            idempotent=True,
        ),
        Tool(
            "list_actions",
            "List actions",
            "The actions beyond create, read, update and delete, of one entity or of all.",
            list_actions,
            {"entity": entity},
            (),
            {"actions": ANYTHING},
            "",
            idempotent=True,
        ),
    )
