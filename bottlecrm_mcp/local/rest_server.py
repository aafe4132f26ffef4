"""MCP server over the REST API, for a CRM without an /mcp endpoint."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from anyio.to_thread import run_sync

from bottlecrm_mcp.catalogue.model import Catalogue
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.gateway.rest.connection import Connection
from bottlecrm_mcp.gateway.rest.gateway import RestGateway
from bottlecrm_mcp.local.fast_start import FastStart
from bottlecrm_mcp.local.jsonrpc_stdio import (
    INVALID_REQUEST,
    Message,
    Stdio,
    error_response,
    is_request,
)
from bottlecrm_mcp.tools.confirmation.seal import Seal, derive_key
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.registry import Registry

if TYPE_CHECKING:
    from mcp.shared.message import SessionMessage

    from bottlecrm_mcp.protocol.server import McpServer

CALLS_AT_ONCE = 4


class RestBackedServer:
    """One client's server: the SDK's, with the HTTP gateway behind its tools.

    `token` only makes the keys of confirmations, so that they outlive this process.
    """

    def __init__(
        self, catalogue: Catalogue, caller: Caller, connection: Connection, token: str
    ) -> None:
        self.caller = caller
        self.catalogue = catalogue
        self.gateway = RestGateway(catalogue, caller, connection)
        self.registry = Registry(catalogue)
        self._keys = [derive_key(token)]
        self._seal = Seal(self._keys)
        self._fast_start = FastStart(self.registry, caller)
        self._answered: list[str | int] = []
        self._is_loaded = False
        self._limiter = anyio.CapacityLimiter(CALLS_AT_ONCE)

    async def serve(self, stdio: Stdio) -> None:
        inbox, messages_in = anyio.create_memory_object_stream[Message](math.inf)
        async with anyio.create_task_group() as tasks, stdio.messages() as messages:
            tasks.start_soon(self._run, stdio, messages_in)
            async for message in messages:
                answer = None if self._is_loaded else self._fast_start.answer_to(message)
                if answer is not None:
                    stdio.send(answer)
                    if message["method"] != "initialize":
                        continue
                    # The SDK's server has to hear it too; its answer is not passed on.
                    self._answered.append(message["id"])
                await inbox.send(message)
            tasks.cancel_scope.cancel()

    async def _run(self, stdio: Stdio, messages: ObjectReceiveStream[Message]) -> None:
        server = await run_sync(self._load, abandon_on_cancel=True)
        self._is_loaded = True
        to_server, requests = anyio.create_memory_object_stream["SessionMessage | Exception"](0)
        answers_in, answers = anyio.create_memory_object_stream["SessionMessage"](0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._feed, stdio, messages, to_server)
            tasks.start_soon(self._pass_on, stdio, answers)
            await server.run(requests, answers_in, server.create_initialization_options())

    def _load(self) -> McpServer:
        from bottlecrm_mcp.protocol.server import McpServer

        return McpServer(self.registry, lambda: self.caller, self._call, self._keys)

    async def _feed(
        self,
        stdio: Stdio,
        messages: ObjectReceiveStream[Message],
        to_server: ObjectSendStream[SessionMessage | Exception],
    ) -> None:
        from mcp.shared.message import SessionMessage
        from mcp_types import jsonrpc_message_adapter

        async for message in messages:
            try:
                parsed = jsonrpc_message_adapter.validate_python(message, by_name=False)
            except ValueError:
                if is_request(message):
                    stdio.send(
                        error_response(message["id"], INVALID_REQUEST, "This request is malformed.")
                    )
                continue
            await to_server.send(SessionMessage(parsed))

    async def _pass_on(self, stdio: Stdio, answers: ObjectReceiveStream[SessionMessage]) -> None:
        async for answer in answers:
            shown = answer.message.model_dump(mode="json", by_alias=True, exclude_unset=True)
            if "method" not in shown and shown.get("id") in self._answered:
                self._answered.remove(shown["id"])
                continue
            stdio.send(shown)

    async def _call(self, work: Callable[[Crm], Any]) -> Any:
        gateway = self.gateway.for_one_call()
        crm = Crm(self.caller, self.catalogue, gateway, self._seal)
        try:
            return await run_sync(work, crm, abandon_on_cancel=True, limiter=self._limiter)
        except anyio.get_cancelled_exc_class():
            gateway.give_up()
            raise
