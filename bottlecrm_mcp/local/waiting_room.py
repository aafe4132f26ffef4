"""Waiting room: the client's messages while the CRM can't be reached yet.

A client that starts this command takes an end, or silence, for a dead server, often for good. So
what needs no CRM is answered here, the rest is held for a while, and the lists of tools, prompts
and resources are announced anew once the CRM is there.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic
from typing import Any, TypeVar

import anyio

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.local.fast_start import CAPABILITIES, greeting, is_handshake
from bottlecrm_mcp.local.jsonrpc_stdio import ClientLeft, Message, Stdio, is_request
from bottlecrm_mcp.local.proxy import CANCELLED, failure

Served = TypeVar("Served")

# What passes by itself: too many calls, an error of the CRM, nothing there, no answer in time.
TEMPORARY = ("rate_limited", "crm_error", "unreachable", "timeout")
LONGEST_PAUSE = 15
# As long as an answer to the first attempt may take before the client is answered without it.
LATE_SECONDS = 2.0
# Shorter than any client waits for a list.
HELD_SECONDS = 8.0
TICK_SECONDS = 0.25
EMPTY: dict[str, Message] = {
    "tools/list": {"tools": []},
    "prompts/list": {"prompts": []},
    "resources/list": {"resources": []},
    "resources/templates/list": {"resourceTemplates": []},
}
NOT_THERE_YET = (
    "The CRM can't be reached yet, so its tools are not listed. They come as soon as it answers."
)


class WaitingRoom:
    """The client on `stdio`, as a server sees it that is made once the CRM is reached."""

    def __init__(self, stdio: Stdio, say: Callable[[str], None]) -> None:
        self._stdio = stdio
        self._say = say
        self._began = monotonic()
        self._problem: GatewayError | None = None
        self._is_reached = False
        self._held: list[tuple[float, Message]] = []
        # Ids of `initialize` requests whose second answer the client must not get.
        self._greeted: list[Any] = []
        self._emptied: set[str] = set()
        self._over = anyio.Event()
        self._inbox, self._outbox = anyio.create_memory_object_stream[Message](math.inf)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with self._stdio.messages() as messages, anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, messages)
            tasks.start_soon(self._attend)
            yield
            tasks.cancel_scope.cancel()

    async def until_reached(self, connect: Callable[[], Awaitable[Served]]) -> Served:
        """What `connect` returns, tried again while its `GatewayError` is one that passes.

        Raises any other, and `ClientLeft` when nobody waits any more.
        """
        for attempt in count():
            try:
                reached = await connect()
            except GatewayError as problem:
                if problem.code not in TEMPORARY:
                    raise
                await self._pause(problem, attempt)
            else:
                self._release()
                return reached
        raise AssertionError

    @asynccontextmanager
    async def messages(self) -> AsyncIterator[AsyncIterator[Message]]:
        """All that the client has sent, from its first message on."""
        yield self._outbox

    def send(self, message: Message) -> None:
        if "method" not in message and message.get("id") in self._greeted:
            self._greeted.remove(message["id"])
            return
        self._stdio.send(message)

    async def _pause(self, problem: GatewayError, attempt: int) -> None:
        seconds = problem.retry_after or min(2**attempt, LONGEST_PAUSE)
        if str(problem) != str(self._problem):
            self._say(f"{problem} Trying again in {seconds} s, and then from time to time.")
        self._problem = problem
        with anyio.move_on_after(seconds):
            await self._over.wait()
        if self._over.is_set():
            raise ClientLeft

    def _release(self) -> None:
        self._is_reached = True
        for _, message in self._held:
            self._inbox.send_nowait(message)
        if self._over.is_set():
            self._inbox.close()
        if self._problem is not None:
            self._say("the CRM answers now.")
        for kind in sorted(self._emptied):
            method = f"notifications/{kind}/list_changed"
            self._stdio.send({"jsonrpc": "2.0", "method": method})

    async def _listen(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            if self._is_reached:
                self._inbox.send_nowait(message)
            elif not self._cancels(message):
                self._held.append((monotonic(), message))
        self._over.set()
        if self._is_reached:
            self._inbox.close()

    def _cancels(self, message: Message) -> bool:
        if message.get("method") != CANCELLED:
            return False
        meant = (message.get("params") or {}).get("requestId")
        held = [each for each in self._held if each[1].get("id") != meant]
        is_held = len(held) < len(self._held)
        self._held = held
        return is_held

    async def _attend(self) -> None:
        while not self._is_reached:
            if self._problem or monotonic() - self._began > LATE_SECONDS:
                self._held = [each for each in self._held if not self._answers(*each)]
            await anyio.sleep(TICK_SECONDS)

    def _answers(self, since: float, message: Message) -> bool:
        """Answer what can be without the CRM; whether there is nothing left to do."""
        method, request_id = message.get("method", ""), message.get("id")
        if not is_request(message):
            return False
        if method == "initialize" and request_id not in self._greeted:
            if is_handshake(message.get("params") or {}):
                # The CRM has to hear it too; its answer is not passed on.
                self._greeted.append(request_id)
                self._reply(message, _greeting(message["params"]["protocolVersion"]))
            return False
        if method == "ping":
            self._reply(message, {})
            return True
        if method == "initialize" or monotonic() - since < HELD_SECONDS:
            return False
        if method in EMPTY and self._greeted:
            self._emptied.add(method.partition("/")[0])
            self._reply(message, EMPTY[method])
        else:
            self._stdio.send(failure(message, self._problem or _late()))
        return True

    def _reply(self, message: Message, result: Message) -> None:
        self._stdio.send({"jsonrpc": "2.0", "id": message["id"], "result": result})


def _greeting(protocol_version: str) -> Message:
    lists = ("prompts", "resources", "tools")
    changing = {kind: {**CAPABILITIES[kind], "listChanged": True} for kind in lists}
    return greeting(protocol_version, {**CAPABILITIES, **changing}, NOT_THERE_YET)


def _late() -> GatewayError:
    return GatewayError("timeout", "The CRM has not answered yet.")
