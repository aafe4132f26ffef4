"""Calls of a client that shows cards: their confirmations are answered there, by a person.

The seal of a confirmation is in the card's data alone, so that the model, which gets the preview,
can't answer it. The answer comes as a call of a tool that hosts offer to cards only; it goes the
way that the answer of a form does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from bottlecrm_mcp.protocol.cards.extension import ANSWER, ANSWER_ENTRY
from bottlecrm_mcp.protocol.cards.facts import META, facts
from bottlecrm_mcp.tools.confirmation.confirm import ConfirmationRequired
from bottlecrm_mcp.tools.crm import Crm, FormAnswer
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.truncation import fitted

logger = logging.getLogger("bottlecrm_mcp")

# A result and its `_meta`.
Way = Callable[[Crm, Tool, Mapping[str, Any]], tuple[dict[str, Any], dict[str, Any]]]

VALIDATOR = Draft202012Validator(ANSWER_ENTRY["inputSchema"])
NEXT = (
    "Nothing was changed. The client shows this preview to the person on a card, and the person "
    "answers there: confirm=true does not count here. Wait until they say what they did."
)
CONFIRMING = ("confirm", "confirmation")


class Answered(NamedTuple):
    """The call that a person answered on a card, and how."""

    tool: str
    arguments: dict[str, Any]
    form: FormAnswer


def answered(arguments: Mapping[str, Any]) -> Answered:
    """What these arguments of the cards' own tool say. Raises `ToolError`."""
    for fault in VALIDATOR.iter_errors(arguments):
        where = ".".join(map(str, fault.path)) or ANSWER
        raise ToolError("invalid_arguments", f"{where}: {fault.message[:200]}")
    agreed = arguments["agreed"]
    form = FormAnswer(arguments["seal"], accepted=agreed, declined=not agreed)
    return Answered(arguments["tool"], arguments["arguments"], form)


def plain_call(
    crm: Crm, tool: Tool, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result for a client without cards. Raises `ToolError` and `ConfirmationRequired`."""
    return tool.call(crm, arguments), {}


def call_with_facts(
    crm: Crm, tool: Tool, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same with the `_meta` for its card, for a client that confirms by a form."""
    result = tool.call(crm, arguments)
    return result, meta(crm, tool, arguments, result)


def call_confirmed_on_card(
    crm: Crm, tool: Tool, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same for a client that confirms on cards; `crm.form` is what was answered on one.

    Raises `ToolError`.
    """
    # Not for a client without cards, nor for another token of this person.
    seal = crm.seal.only_for("card", crm.caller.token_id)
    crm = replace(crm, form=crm.form or FormAnswer(), seal=seal)
    try:
        result = tool.call(crm, arguments)
    except ConfirmationRequired as required:
        return _waiting(crm, tool, arguments, required)
    return result, meta(crm, tool, arguments, result)


def _waiting(
    crm: Crm, tool: Tool, arguments: Mapping[str, Any], required: ConfirmationRequired
) -> tuple[dict[str, Any], dict[str, Any]]:
    preview = required.as_dict(crm.entity(arguments["entity"]))
    del preview["confirmation"]
    result = fitted({**preview, "next": NEXT})
    crm.call_limits.require_fits(result)
    asked = {name: value for name, value in arguments.items() if name not in CONFIRMING}
    answer = {"tool": tool.name, "arguments": asked, "seal": required.confirmation}
    told = meta(crm, tool, asked, result)[META]
    told["confirm"] = {"name": ANSWER, "arguments": answer, "records": dict(required.names)}
    return result, {META: told}


def meta(
    crm: Crm, tool: Tool, arguments: Mapping[str, Any], result: Mapping[str, Any]
) -> dict[str, Any]:
    """`_meta` of a result for a client that shows cards."""
    try:
        return {META: facts(crm, tool, tool.meant(arguments), result)}
    except Exception:
        # The call itself is done, and must not be told as a failure.
        logger.exception("The facts for a card of %s failed", tool.name)
        return {META: {}}
