"""Negotiation of the cards: a client that does not declare the extension sees nothing of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from bottlecrm_mcp.protocol.cards.extension import (
    ANSWER_ENTRY,
    SERVER_CAPABILITY,
    is_declared,
    tool_meta,
)

Context = ServerRequestContext[Any, Any]


def are_shown(context: Context) -> bool:
    """Whether this request's client shows cards.

    On the older revisions it says so in `initialize` alone, and what is not known is no.
    """
    capabilities = context.session.client_capabilities
    return capabilities is not None and is_declared(capabilities.extensions)


async def greeting_middleware(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Middleware that says the same in the result of `initialize`, which is a dict by then."""
    result = await call_next(ctx)
    if ctx.method != "initialize" or not isinstance(result, dict):
        return result
    declared = (ctx.params or {}).get("capabilities") or {}
    if not is_declared(declared.get("extensions")):
        return result
    capabilities = result["capabilities"]
    extensions = {**capabilities.get("extensions", {}), **SERVER_CAPABILITY}
    return {**result, "capabilities": {**capabilities, "extensions": extensions}}


def with_cards(tools: Iterable[types.Tool], *, answers: bool) -> list[types.Tool]:
    """The list of tools with their cards; `answers` adds the tool that only cards call."""
    shown = [
        tool.model_copy(update={"meta": {**(tool.meta or {}), **tool_meta(tool.name)}})
        for tool in tools
    ]
    if answers:
        shown.append(types.Tool.model_validate(ANSWER_ENTRY, by_name=False))
    return shown
