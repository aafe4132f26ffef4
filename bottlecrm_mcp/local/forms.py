"""Forms of a client of the older protocol, whose calls go on to the endpoint in the newer one.

On the older revisions a server asks by a request of its own, which an endpoint without sessions
can't send. In the newer one it answers with what it asks for, and the call is made again with the
reply; here one is put into the words of the other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio

from bottlecrm_mcp.local.jsonrpc_stdio import Message, is_request
from bottlecrm_mcp.protocol import older_forms

if TYPE_CHECKING:
    from bottlecrm_mcp.local.proxy import Endpoint

MODERN = "2026-07-28"
META_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_CLIENT = "io.modelcontextprotocol/clientInfo"
CANCELLED = {"action": older_forms.CANCEL}


class OlderForms:
    """What the client declared, and the forms that it has open."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._declared: Mapping[str, Any] | None = None
        self._client: Any = None
        self._numbers = count(1)
        self._open: dict[str, Callable[[Message], None]] = {}

    def notice(self, message: Message) -> bool:
        """Whether this message of the client is the answer to a form, and so no one else's."""
        if message.get("method") == "initialize":
            params = message.get("params") or {}
            self._declared = _with_forms(params) if older_forms.are_declared(params) else None
            self._client = params.get("clientInfo")
        take = None if "method" in message else self._open.pop(str(message.get("id")), None)
        if take is None:
            return False
        take(message)
        return True

    def serve(self, endpoint: Endpoint, message: Message) -> AsyncIterator[Message]:
        """What the endpoint says to this message, the answer last. Raises `GatewayError`."""
        if (
            self._declared is not None
            and endpoint.is_modern
            and message.get("method") == "tools/call"
            and is_request(message)
        ):
            return self._call(endpoint, message)
        return endpoint.exchange(message)

    async def _call(self, endpoint: Endpoint, message: Message) -> AsyncIterator[Message]:
        request = self._newer(message)
        while True:
            asked = None
            async with aclosing(endpoint.exchange(request)) as answers:
                async for answer in answers:
                    result = answer.get("result") or {}
                    if result.get("resultType") == "input_required":
                        asked = result
                        break
                    result.pop("resultType", None)
                    yield answer
            if asked is None:
                return
            replies = await self._ask(asked.get("inputRequests") or {})
            if replies is None:
                async with aclosing(endpoint.exchange(message)) as answers:
                    async for answer in answers:
                        yield answer
                return
            round_ = {"inputResponses": replies, "requestState": asked.get("requestState")}
            request = {**request, "params": {**request["params"], **round_}}

    def _newer(self, message: Message) -> Message:
        params = message.get("params") or {}
        meta = {
            **(params.get("_meta") or {}),
            META_VERSION: MODERN,
            META_CAPABILITIES: self._declared,
            META_CLIENT: self._client,
        }
        return {**message, "params": {**params, "_meta": meta}}

    async def _ask(self, requests: Mapping[str, Any]) -> dict[str, Any] | None:
        """The client's results; None if something else than forms is asked for."""
        if any(request.get("method") != older_forms.ASK for request in requests.values()):
            return None
        return {
            key: await self._answer(request.get("params") or {})
            for key, request in requests.items()
        }

    async def _answer(self, params: Mapping[str, Any]) -> Any:
        """The client's result; `CANCELLED` if it gives none in time, or an error."""
        form_id = f"bcrm-mcp-form-{next(self._numbers)}"
        arrived = anyio.Event()
        reply: list[Message] = []

        def take(message: Message) -> None:
            reply.append(message)
            arrived.set()

        self._open[form_id] = take
        self._send(older_forms.request(form_id, params))
        try:
            with anyio.move_on_after(older_forms.ANSWER_SECONDS):
                await arrived.wait()
        finally:
            self._open.pop(form_id, None)
        return reply[0].get("result", CANCELLED) if reply else CANCELLED


def _with_forms(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a client with forms declared of what the newer protocol asks for with each request."""
    extensions = params["capabilities"].get("extensions")
    return {"elicitation": {}, **({"extensions": extensions} if extensions else {})}
