"""Elicitation: confirmation by the client's form.

On the newer protocol a result asks for it; on the older revisions a request of the server's own,
where the connection has a way back, as over stdio. The form's answer decides, and the `confirm`
argument is ignored. The state that comes back in a result is sealed twice: by the SDK (principal,
tool, arguments, ten minutes) and by us (the record's version).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from bottlecrm_mcp.one_line import OwnWords, one_line, quoted
from bottlecrm_mcp.protocol.older_forms import ANSWER_SECONDS, CANCEL
from bottlecrm_mcp.tools.confirmation.confirm import ConfirmationRequired
from bottlecrm_mcp.tools.crm import FormAnswer
from bottlecrm_mcp.tools.truncation import LONGEST_IN_PREVIEW, MOST_CHARACTERS, more_than

KEY = "confirm"
FORM = {
    "type": "object",
    "properties": {
        KEY: {"type": "boolean", "title": "Yes, do this", "default": False},
    },
    "required": [KEY],
}

# Said another way, or of no use to a person.
TOLD_OTHERWISE = ("this_will", "effects", "untrusted")
PLAIN = {None: "nothing", True: "yes", False: "no"}
# What a text may have; less where the whole would be too long to read.
LONGEST_TEXTS = (LONGEST_IN_PREVIEW, 100, 20)


def can_ask(context: ServerRequestContext[Any, Any]) -> bool:
    """Whether this request's client shows forms, and there is a way to ask it for one."""
    if not (asks_by_result(context) or context.session.can_send_request):
        return False
    capabilities = context.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None:
        return False
    # Declared without a mode means forms.
    return elicitation.form is not None or elicitation.url is None


def asks_by_result(context: ServerRequestContext[Any, Any]) -> bool:
    return context.protocol_version in MODERN_PROTOCOL_VERSIONS


def form_answer(params: types.CallToolRequestParams) -> FormAnswer:
    """What the form said, if this call comes back with it."""
    response = (params.input_responses or {}).get(KEY)
    if response is None or params.request_state is None:
        return FormAnswer()
    content = getattr(response, "content", None)
    return answered(params.request_state, getattr(response, "action", ""), content)


def answered(confirmation: str, action: str, content: Mapping[str, Any] | None) -> FormAnswer:
    """What a form said that was shown for this confirmation."""
    accepted = action == "accept" and (content or {}).get(KEY) is True
    return FormAnswer(confirmation, accepted, not accepted, cancelled=action == CANCEL)


def ask(required: ConfirmationRequired) -> types.InputRequiredResult:
    """The answer that asks the client for a form, and carries the sealed confirmation."""
    return types.InputRequiredResult(
        input_requests={KEY: types.ElicitRequest(params=form(required))},
        request_state=required.confirmation,
    )


def form(required: ConfirmationRequired) -> types.ElicitRequestFormParams:
    shown = message(required.preview)
    return types.ElicitRequestFormParams(message=shown, requested_schema=FORM)


async def answer(
    context: ServerRequestContext[Any, Any], required: ConfirmationRequired
) -> FormAnswer:
    """The answer to a form that is asked for now; `cancelled` if the client gives none in time."""
    with suppress(MCPError), anyio.move_on_after(ANSWER_SECONDS):
        shown = message(required.preview)
        reply = await context.session.elicit_form(shown, FORM, context.request_id)
        return answered(required.confirmation, reply.action, reply.content)
    return answered(required.confirmation, CANCEL, None)


def message(preview: Mapping[str, Any]) -> str:
    """The preview as a person reads it: our own words, and in quotation marks the CRM's.

    Long texts are cut, and say so outside of the quotation marks.
    """
    for longest in LONGEST_TEXTS:
        text = _message(preview, longest)
        if len(text) <= MOST_CHARACTERS:
            return text
    left_out = len(text) - MOST_CHARACTERS
    return f"{text[:MOST_CHARACTERS]}\nThis is not all: {left_out} characters of it are left out."


def _message(preview: Mapping[str, Any], longest: int) -> str:
    lines = [f"This will {preview['this_will']}."]
    if preview.get("effects"):
        *others, last = preview["effects"]
        lines.append(f"It {', '.join(others)}, and {last}." if others else f"It {last}.")
    for key, value in preview.items():
        if key not in TOLD_OTHERWISE:
            lines.append(f"{key.replace('_', ' ')}: {_shown(value, longest)}")
    return "\n".join(lines)


def _shown(value: Any, longest: int) -> str:
    if isinstance(value, Mapping):
        if set(value) == {"id", "name"}:
            # Two records may have one name.
            return f"{_shown(value['name'], longest)} (id {value['id'][:8]})"
        parts = ((one_line(key), each) for key, each in value.items() if key != "id")
        return ", ".join(f"{key} {_shown(each, longest)}" for key, each in parts)
    if isinstance(value, list | tuple):
        return "; ".join(_shown(each, longest) for each in value)
    if isinstance(value, OwnWords):
        return str(value)
    if value is None or isinstance(value, bool):
        return PLAIN[value]
    if not isinstance(value, str):
        return str(value)
    return quoted(value[:longest]) + more_than(value, longest)
