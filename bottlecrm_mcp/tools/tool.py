"""Tool: its name, arguments, results and hints as a client sees them, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, cast

from jsonschema import Draft202012Validator, ValidationError

from bottlecrm_mcp.tools.arguments.call_limits import CallLimits
from bottlecrm_mcp.tools.arguments.client_spelling import as_meant
from bottlecrm_mcp.tools.confirmation.confirm import (
    Cancelled,
    ConfirmationRequired,
    Declined,
    require_not_declined,
)
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError, suggest
from bottlecrm_mcp.tools.schemas import Schema
from bottlecrm_mcp.tools.truncation import fitted

# Nothing that merely looks like a yes is one.
STRICT = ("confirm",)
MOST_FAULTS = 20


def _said(error: ValidationError) -> str:
    if error.validator == "maxItems":
        # The validator's own words repeat them all.
        given = len(cast("list[Any]", error.instance))
        return f"At most {error.validator_value} are taken, and {given} were given."
    return str(error.message)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool: its contract, and the function that does it.

    `needs` is the kind of access without which the tool is of no use: `read`, `write` or none.
    `arguments` and `result` are JSON Schemas by name. `beyond_entities` are more values of the
    argument `entity`.
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
    beyond_entities: tuple[str, ...] = ()
    # Of a result that has these keys always, and no others than those in `result`.
    result_required: tuple[str, ...] = ()
    # What its entry in tools/list says to one vendor's client.
    meta: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def input_schema(self) -> Schema:
        return {
            "type": "object",
            "properties": self.arguments,
            "required": list(self.required),
        }

    @cached_property
    def output_schema(self) -> Schema:
        schema: Schema = {"type": "object", "properties": self.result}
        if not self.result_required:
            return schema
        return {**schema, "required": list(self.result_required), "additionalProperties": False}

    @cached_property
    def validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.input_schema)

    def serving(self, entities: Sequence[str]) -> Tool:
        """The tool for these entities."""
        names = [*entities, *self.beyond_entities]
        entity = {**self.arguments["entity"], "enum": names}
        return replace(self, arguments={**self.arguments, "entity": entity})

    def meant(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments without what clients spell in ways of their own."""
        return as_meant(arguments, self.arguments, self.required, STRICT)

    def call(self, crm: Crm, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The structured result. Raises `ToolError`; nothing is sent for bad arguments.

        Raises `ConfirmationRequired` only where the client confirms by a form.
        """
        arguments = self.meant(arguments)
        self._require_valid(arguments, crm.call_limits)
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
        except Declined as no:
            declined = not isinstance(no, Cancelled)
            return {"entity": arguments["entity"], "declined": declined, "next": no.told}
        crm.call_limits.require_fits(answer)
        return answer

    def _require_valid(self, arguments: Mapping[str, Any], call_limits: CallLimits) -> None:
        call_limits.require_clean(arguments)
        faults = {
            name: f"{self.name} takes no argument {name!r}. {suggest(name, self.arguments)}"
            for name in arguments
            if name not in self.arguments
        }
        for error in islice(self.validator.iter_errors(arguments), MOST_FAULTS):
            where = ".".join(str(part) for part in error.path) or self.name
            if where == "entity" and isinstance(arguments["entity"], str):
                # The tool itself names the nearest entities.
                continue
            faults.setdefault(where, f"{where}: {_said(error)}")
        if len(faults) == 1:
            raise ToolError("invalid_arguments", *faults.values())
        if faults:
            raise ToolError("invalid_arguments", " ".join(faults.values()), fields=faults)
