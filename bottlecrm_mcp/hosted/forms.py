"""Forms of the endpoint on the older revisions, where the server asks by a request of its own.

It goes out in the event stream of the call that needs it; the client's answer is another request,
at any worker, and comes through the database. While a person reads, a coroutine waits: no thread,
no connection, no slot of a running call.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import Error as DatabaseError

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.hosted import open_forms, rate_limits, thread_pool, token_policy
from bottlecrm_mcp.hosted.admission import Call
from bottlecrm_mcp.hosted.body import Disconnected
from bottlecrm_mcp.hosted.errors import HttpError
from bottlecrm_mcp.hosted.event_stream import EventStream
from bottlecrm_mcp.protocol import older_forms

logger = logging.getLogger("bottlecrm_mcp")

# How often it is looked for an answer: often at first, as a program answers, then as people do.
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.2, 2
KEEP_ALIVE_SECONDS = 15
# What one look into the database may take.
LOOK_SECONDS = 5
CODES = {401: "unauthorized", 403: "forbidden", 429: "rate_limited"}
NOT_OPENED = GatewayError(
    "unavailable",
    "The form that has to be answered first could not be opened: the CRM's database does not "
    "answer, or lacks a table of the server. Nothing was changed.",
)

T = TypeVar("T")


class Forms:
    """The way to ask the client of a call; `admit` admits its request again.

    `receive` is ASGI's, which says when the client leaves.
    """

    def __init__(
        self, call: Call, stream: EventStream, receive: Any, admit: Callable[[], Awaitable[Call]]
    ) -> None:
        self._call = call
        self._stream = stream
        self._receive = receive
        self._admit = admit

    async def ask(self, params: Mapping[str, Any]) -> str:
        """The person's answer, as `open_forms` names it; `CANCEL` if there is none in time.

        The call goes on as one that is made now: token, policy and limits are looked at again.
        Raises `GatewayError` if it may not, or if no form can be opened.
        """
        rate_limits.leave(self._call.slot)
        try:
            answer = await self._answer(params)
            await self._admit_again()
        except Disconnected:
            raise GatewayError("disconnected", "The client left. Nothing was changed.") from None
        except HttpError as refusal:
            code = CODES.get(refusal.status, "unavailable")
            raise GatewayError(code, f"{refusal} Nothing was changed.") from refusal
        return answer

    async def _answer(self, params: Mapping[str, Any]) -> str:
        caller = self._call.caller
        form_id = await _looked(partial(open_forms.open_form, caller))
        if form_id is None:
            raise NOT_OPENED
        try:
            await self._stream.event(older_forms.request(str(form_id), params))
            return await self._arrived(form_id, caller.org_id)
        finally:
            # Not waited for: the client may have left.
            close = partial(open_forms.close_form, form_id, caller.org_id)
            thread_pool.submit(close)

    async def _arrived(self, form_id: UUID, org_id: str) -> str:
        """The answer as soon as it is in the database. Raises `Disconnected`."""
        gone = asyncio.ensure_future(self._client_leaves())
        pause, said = FIRST_PAUSE_SECONDS, time.monotonic()
        until = said + older_forms.ANSWER_SECONDS
        try:
            while (left := until - time.monotonic()) > 0:
                await asyncio.wait([gone], timeout=min(pause, left))
                if gone.done():
                    raise Disconnected
                if answer := await _looked(partial(open_forms.answer_of, form_id, org_id)):
                    return answer
                if time.monotonic() - said > KEEP_ALIVE_SECONDS:
                    await self._stream.keep_alive()
                    said = time.monotonic()
                pause = min(1.5 * pause, MOST_PAUSE_SECONDS)
        finally:
            gone.cancel()
        return older_forms.CANCEL

    async def _client_leaves(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _admit_again(self) -> None:
        """Raises `HttpError`."""
        token_policy.forget_request_cache()
        admitted = await self._admit()
        call = self._call
        call.caller, call.deadline, call.slot = admitted.caller, admitted.deadline, admitted.slot


async def deliver(message: Mapping[str, Any], call: Call) -> None:
    """Hand an answer to whoever waits for it, if this message is one. Raises `HttpError`."""
    form_id = open_forms.form_id_in(message)
    if form_id is None:
        return
    answer = partial(open_forms.answer_form, form_id, message, call.caller)
    if await _looked(answer) is None:
        raise HttpError(503, "The CRM's database does not answer; try again.")


async def _looked(look: Callable[[], T]) -> T | None:
    """What is found in the database; None if that fails, which must not end the call."""
    try:
        return await thread_pool.in_pool_within(look, Deadline(LOOK_SECONDS))
    except (DatabaseError, thread_pool.Busy, thread_pool.Overdue) as problem:
        logger.warning("Open forms could not be read or written: %s", type(problem).__name__)
        return None
