"""Proxy from stdio to the CRM's own /mcp endpoint, message by message.

Nothing is interpreted but what the two transports spell differently: the headers that HTTP wants,
cancellation, which is a notification here and the end of a request there, and forms (`forms.py`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2

from bottlecrm_mcp.gateway.base import OUTCOME_UNKNOWN, GatewayError
from bottlecrm_mcp.gateway.rest.connection import (
    CONNECT_SECONDS,
    MOST_BYTES,
    REDIRECTS,
    fault,
    redirected,
)
from bottlecrm_mcp.gateway.rest.urls import is_loopback
from bottlecrm_mcp.local.environment import Environment
from bottlecrm_mcp.local.forms import (
    META_CAPABILITIES,
    META_CLIENT,
    META_VERSION,
    MODERN,
    OlderForms,
)
from bottlecrm_mcp.local.identity import REFUSED
from bottlecrm_mcp.local.jsonrpc_stdio import Message, Stdio, error_response, is_request
from bottlecrm_mcp.local.logins import SignedIn, load

PATH = "/mcp"
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
CANCELLED = "notifications/cancelled"
EVENT_STREAM = "text/event-stream"
# As long as the endpoint may take for a call, and some more.
ANSWER_SECONDS = 120
PROBE_SECONDS = 15
INTERNAL_ERROR = -32603
# Answered before the endpoint's server saw the message, also where the answer is JSON-RPC.
BUSY = (429, 503)


@asynccontextmanager
async def open_endpoint(environment: Environment) -> AsyncIterator[Endpoint]:
    async with httpx2.AsyncClient(
        headers={"Accept": f"application/json, {EVENT_STREAM}"},
        timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        # A proxy is no way to this machine itself.
        trust_env=not is_loopback(environment.base_url),
        auth=_login(environment),
    ) as client:
        yield Endpoint(client, environment)


def _login(environment: Environment) -> SignedIn | None:
    login = None if environment.token else load(environment.base_url)
    return SignedIn(environment.base_url, login) if login else None


class Endpoint:
    """The CRM's /mcp, with the token."""

    def __init__(self, client: httpx2.AsyncClient, environment: Environment) -> None:
        self.base_url = environment.base_url
        self.url = environment.base_url + PATH
        self._client = client
        token = environment.token
        self._authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self._session: dict[str, str] = {}
        self._knows_newer = False

    def __repr__(self) -> str:
        return f"<Endpoint {self.url}>"

    @property
    def has_session(self) -> bool:
        """Whether the client speaks the older protocol, which cancels by a message."""
        return bool(self._session)

    @property
    def is_modern(self) -> bool:
        """Whether it serves the newer protocol."""
        return self._knows_newer

    async def exists(self) -> bool:
        """Whether the CRM has an MCP endpoint; False if it has no such path.

        Raises `GatewayError` where that can't be told, or the token is refused.
        """
        response = await self._probe()
        if response.status_code == 403 and not _is_rpc(_json(response.content)):
            # BottleCRM refuses a token with scopes at any path outside its API, also at none.
            if not await self._is_endpoint_to_strangers():
                return False
            raise self._refusal(response, _json(response.content))
        data = _json(response.content)
        if _is_rpc(data) and response.status_code not in BUSY:
            self._knows_newer = "result" in data
            return True
        if response.status_code == 404 or (response.status_code < 500 and _is_html(response)):
            return False
        raise self._refusal(response, _json(response.content))

    async def _is_endpoint_to_strangers(self) -> bool:
        return (await self._probe(is_stranger=True)).status_code == 401

    async def _probe(self, *, is_stranger: bool = False) -> httpx2.Response:
        message = modern_request("server/discover", {})
        headers = {**request_headers(message), **({} if is_stranger else self._authorization)}
        # The client of a login would sign the request.
        auth = httpx2.Auth() if is_stranger else httpx2.USE_CLIENT_DEFAULT
        try:
            return await self._client.post(
                self.url, json=message, headers=headers, auth=auth, timeout=PROBE_SECONDS
            )
        except httpx2.HTTPError as problem:
            raise fault(problem, self.base_url) from problem

    async def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """The result of a request of our own. Raises `GatewayError`."""
        async for answer in self.exchange(modern_request(method, params)):
            if "result" in answer:
                return answer["result"]
            if "error" in answer:
                raise GatewayError("rejected", str(answer["error"].get("message", "")))
        raise GatewayError("crm_error", f"{self.url} did not answer.")

    async def exchange(self, message: Message) -> AsyncGenerator[Message, None]:
        """Send a message; what the endpoint says to it, the answer last. Raises `GatewayError`."""
        session = {} if _version(message) else self._session
        headers = {**request_headers(message), **self._authorization, **session}
        try:
            async with self._client.stream(
                "POST", self.url, json=message, headers=headers
            ) as response:
                async for answer in self._answers(response, message):
                    self._note_session(message, response, answer)
                    yield answer
        except httpx2.HTTPError as problem:
            said = fault(problem, self.base_url)
            unknown = is_request(message) and not isinstance(problem, httpx2.ConnectError)
            text = f"{said} {OUTCOME_UNKNOWN}" if unknown else str(said)
            raise GatewayError(said.code, text) from problem

    async def _answers(self, response: httpx2.Response, message: Message) -> AsyncIterator[Message]:
        if response.headers.get("content-type", "").startswith(EVENT_STREAM):
            async for event in httpx2.EventSource(response, max_event_size=MOST_BYTES):
                if event.data and isinstance(answer := _json(event.data), dict):
                    yield answer
            return
        data = _json(await response.aread())
        if _is_rpc(data) and response.status_code not in BUSY:
            yield {**data, "id": message.get("id")} if "id" in message else data
        elif response.status_code >= 300 or is_request(message):
            raise self._refusal(response, data)

    def _note_session(self, message: Message, response: httpx2.Response, answer: Message) -> None:
        """What every later message of a client of the older protocol has to carry."""
        if message.get("method") != "initialize" or "result" not in answer:
            return
        self._session = {"mcp-protocol-version": str(answer["result"].get("protocolVersion", ""))}
        if session_id := response.headers.get("mcp-session-id"):
            self._session["mcp-session-id"] = session_id

    def _refusal(self, response: httpx2.Response, data: Any) -> GatewayError:
        status = response.status_code
        said = data.get("error") or data.get("detail") if isinstance(data, dict) else None
        said = said.get("message") if isinstance(said, dict) else said
        told = f": {said}" if isinstance(said, str) else "."
        if status == 401:
            return REFUSED
        if status == 403 and isinstance(said, str):
            return GatewayError("forbidden", f"{self.base_url} refuses this: {said}")
        if status in REDIRECTS:
            return redirected(self.base_url, response)
        after = response.headers.get("retry-after", "")
        seconds = int(after) if after.isdigit() else None
        if status == 429:
            wait = "" if seconds is None else f" Try again in {seconds} seconds."
            asks = said if isinstance(said, str) else f"The CRM asks to slow down.{wait}"
            return GatewayError("rate_limited", asks, seconds)
        if status >= 500:
            fails = f"{self.url} fails at present (status {status}){told}"
            return GatewayError("crm_error", fails, seconds)
        return GatewayError(
            "not_an_endpoint", f"{self.url} does not answer as MCP (status {status}){told}"
        )


class Proxy:
    """Passes messages between a client on stdio and the endpoint."""

    def __init__(self, endpoint: Endpoint, stdio: Stdio) -> None:
        self.endpoint = endpoint
        self.stdio = stdio
        self._forms = OlderForms(stdio.send)
        self._running: dict[str | int, anyio.CancelScope] = {}

    async def serve(self) -> None:
        async with anyio.create_task_group() as tasks, self.stdio.messages() as messages:
            async for message in messages:
                if self._forms.notice(message):
                    continue
                if message.get("method") == CANCELLED and self._cancel(message):
                    continue
                tasks.start_soon(self._pass_on, message)
            tasks.cancel_scope.cancel()

    def _cancel(self, message: Message) -> bool:
        """End the request that is meant; True where that is all there is to do."""
        request_id = (message.get("params") or {}).get("requestId")
        scope = self._running.get(request_id) if isinstance(request_id, str | int) else None
        if scope is not None:
            scope.cancel()
        return not self.endpoint.has_session

    async def _pass_on(self, message: Message) -> None:
        with anyio.CancelScope() as scope:
            if is_request(message):
                self._running[message["id"]] = scope
            try:
                async for answer in self._forms.serve(self.endpoint, message):
                    self.stdio.send(answer)
            except GatewayError as problem:
                if is_request(message):
                    self.stdio.send(failure(message, problem))
            finally:
                if is_request(message) and self._running.get(message["id"]) is scope:
                    del self._running[message["id"]]


def failure(message: Message, problem: GatewayError) -> Message:
    """What the client is answered where the endpoint did not: a tool's error for a tool's call."""
    if message["method"] != "tools/call":
        return error_response(message["id"], INTERNAL_ERROR, str(problem))
    text = json.dumps({"error": {"code": problem.code, "message": str(problem)}})
    result: Message = {"content": [{"type": "text", "text": text}], "isError": True}
    if _version(message):
        result["resultType"] = "complete"
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def modern_request(method: str, params: Mapping[str, Any]) -> Message:
    meta = {
        META_VERSION: MODERN,
        META_CAPABILITIES: {},
        META_CLIENT: {"name": "bcrm-mcp", "version": "1"},
    }
    return {
        "jsonrpc": "2.0",
        "id": "bcrm-mcp",
        "method": method,
        "params": {**params, "_meta": meta},
    }


def request_headers(message: Message) -> dict[str, str]:
    """The headers that repeat a message of the newer protocol."""
    version, method = _version(message), message.get("method", "")
    if not version:
        return {}
    headers = {"mcp-protocol-version": _header_value(version), "mcp-method": _header_value(method)}
    name = message["params"].get(NAMED_BY.get(method, ""))
    if isinstance(name, str):
        headers["mcp-name"] = _header_value(name)
    return headers


def _version(message: Message) -> str:
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    return str(meta.get(META_VERSION) or "") if isinstance(meta, dict) else ""


def _header_value(text: str) -> str:
    """The text as a header carries it: base64 where it is not plain ASCII."""
    if text.isascii() and text.isprintable() and text == text.strip():
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def _json(content: bytes | str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _is_rpc(data: Any) -> bool:
    return isinstance(data, dict) and data.get("jsonrpc") == "2.0"


def _is_html(response: httpx2.Response) -> bool:
    return "html" in response.headers.get("content-type", "")
