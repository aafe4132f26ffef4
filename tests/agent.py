"""An assistant's side of a connection: the official client, and a person who answers its forms."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import mcp_types as types
from mcp.client import Client
from mcp.client.extension import ClientExtension
from mcp.client.streamable_http import streamable_http_client

URL = "http://testserver/mcp"
MODERN = "2026-07-28"
LEGACY = "legacy"

Json = dict[str, Any]


class Person:
    """Reads the client's confirmation forms and answers them all alike."""

    def __init__(self, *, agrees: bool = True) -> None:
        self.agrees = agrees
        self.read: list[str] = []

    async def __call__(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        self.read.append(params.message)
        if not self.agrees:
            return types.ElicitResult(action="decline")
        return types.ElicitResult(action="accept", content={"confirm": True})


class Agent:
    """Calls tools. `person` is there where the client has forms."""

    def __init__(self, client: Client, person: Person | None = None) -> None:
        self.client = client
        self.person = person

    async def __call__(self, tool: str, **arguments: Any) -> Json:
        """The structured result of a call that succeeds."""
        result = await self.client.call_tool(tool, arguments)
        text = text_of(result)
        assert not result.is_error, text
        assert json.loads(text) == result.structured_content
        return json.loads(text)

    async def refused(self, tool: str, **arguments: Any) -> Json:
        """The error of a call that fails."""
        result = await self.client.call_tool(tool, arguments)
        text = text_of(result)
        assert result.is_error, text
        return json.loads(text)["error"]

    async def confirming(self, tool: str, **arguments: Any) -> tuple[str, Json]:
        """What the person is shown before an effect, and the result after they agreed."""
        if self.person:
            self.person.agrees = True
            result = await self(tool, **arguments)
            return self.person.read.pop(), result
        shown = await self(tool, **arguments)
        assert shown["confirmation_required"], shown
        seal = {"confirm": True, "confirmation": shown["confirmation"]}
        return as_text(shown["preview"]), await self(tool, **arguments, **seal)

    async def declining(self, tool: str, **arguments: Any) -> str:
        """What the person is shown before an effect that they don't want."""
        if self.person:
            self.person.agrees = False
            result = await self(tool, **arguments)
            assert result["declined"]
            return self.person.read.pop()
        shown = await self(tool, **arguments)
        assert shown["confirmation_required"], shown
        return as_text(shown["preview"])


@asynccontextmanager
async def connected(
    application: Any,
    secret: str,
    mode: str = MODERN,
    person: Person | None = None,
    extensions: Sequence[ClientExtension] = (),
) -> AsyncIterator[Agent]:
    """An agent at the /mcp of an ASGI application."""
    http = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(application),
        headers={"Authorization": f"Bearer {secret}"},
    )
    async with http:
        transport = streamable_http_client(URL, http_client=http)
        # No caching: what a test asks twice is to be answered twice.
        async with Client(
            transport,
            mode=mode,
            elicitation_callback=person,
            extensions=extensions,
            cache=None,
        ) as client:
            yield Agent(client, person)


def as_agent(secret: str, steps: Callable[[Agent], Awaitable[Any]], era: str = MODERN) -> Any:
    """What the steps return with an agent at an application that has its own threads."""
    # Wants Django's settings, which an agent at another host's address has not.
    from bottlecrm_mcp.asgi import with_mcp

    async def run() -> Any:
        async with connected(with_mcp(None), secret, era) as agent:
            return await steps(agent)

    return asyncio.run(run())


def text_of(result: types.CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    return content.text


def prompt_text(result: types.GetPromptResult) -> str:
    (message,) = result.messages
    assert isinstance(message.content, types.TextContent)
    return message.content.text


def form_text(result: types.InputRequiredResult) -> str:
    """What a confirmation form says."""
    request = result.input_requests["confirm"]
    assert isinstance(request, types.ElicitRequest)
    return request.params.message


def as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
