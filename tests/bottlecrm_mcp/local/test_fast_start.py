"""What is answered before the SDK is loaded is what the SDK's server answers."""

import asyncio
from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.local import fast_start
from bottlecrm_mcp.local.fast_start import FastStart
from bottlecrm_mcp.local.forms import META_CAPABILITIES, META_VERSION, MODERN
from bottlecrm_mcp.protocol.cards.extension import (
    ANSWER,
    EXTENSION,
    MIME_TYPE,
    SERVER_CAPABILITY,
    tool_meta,
)
from bottlecrm_mcp.protocol.metadata import SKILLS
from bottlecrm_mcp.protocol.server import McpServer
from bottlecrm_mcp.tools.registry import Registry

CALLER = Caller("1", "Ann", "ann@example.com", "USER", "2", "Alpha", "Asia/Kolkata")
READER = replace(CALLER, scopes=("leads:read",))
CLIENT = {"name": "test", "version": "1"}
META = {
    META_VERSION: MODERN,
    META_CAPABILITIES: {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def request(method: str, **params: Any) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": method, "method": method}
    return {**message, "params": params} if params else message


def initialize(version: str) -> dict[str, Any]:
    return request("initialize", protocolVersion=version, capabilities={}, clientInfo=CLIENT)


def said_by_the_sdk(caller: Caller, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    async def talk() -> list[dict[str, Any]]:
        server = McpServer(Registry(CATALOGUE), lambda: caller, None, [b"k" * 32])
        to_server, requests = anyio.create_memory_object_stream[SessionMessage | Exception](10)
        answers_in, answers = anyio.create_memory_object_stream[SessionMessage](10)
        said = []
        async with anyio.create_task_group() as tasks:
            options = server.create_initialization_options()
            tasks.start_soon(server.run, requests, answers_in, options)
            for message in messages:
                parsed = jsonrpc_message_adapter.validate_python(message, by_name=False)
                await to_server.send(SessionMessage(parsed))
                if "id" in message:
                    answer = (await answers.receive()).message
                    said.append(answer.model_dump(mode="json", by_alias=True, exclude_unset=True))
            tasks.cancel_scope.cancel()
        return said

    return asyncio.run(talk())


@pytest.mark.parametrize("caller", [CALLER, READER])
@pytest.mark.parametrize("version", fast_start.HANDSHAKE_VERSIONS)
def test_handshake(caller, version):
    messages = [initialize(version), INITIALIZED, request("tools/list")]
    answers = FastStart(Registry(CATALOGUE), caller)
    said = [answers.answer_to(each) for each in messages if "id" in each]
    assert said == said_by_the_sdk(caller, messages)


@pytest.mark.parametrize("caller", [CALLER, READER])
def test_modern(caller):
    messages = [request("server/discover", _meta=META), request("tools/list", _meta=META)]
    answers = FastStart(Registry(CATALOGUE), caller)
    said = [answers.answer_to(each) for each in messages]
    wanted = said_by_the_sdk(caller, messages)
    # Milliseconds to midnight.
    lives = [each[0]["result"].pop("ttlMs") for each in (said, wanted)]
    assert abs(lives[0] - lives[1]) < 60_000
    assert said == wanted


@pytest.mark.parametrize(
    "message",
    [
        request("tools/list"),
        request("ping"),
        request("tools/call", name="crm_search", arguments={}, _meta=META),
        initialize("1999-01-01"),
        request("initialize"),
        request("server/discover", _meta={META_VERSION: MODERN}),
        request("tools/list", _meta={**META, META_VERSION: "2999-01-01"}),
        request("tools/list", cursor="x", _meta=META),
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []},
        INITIALIZED,
    ],
)
def test_what_waits_for_the_sdk(message):
    assert FastStart(Registry(CATALOGUE), CALLER).answer_to(message) is None


def with_cards(message: dict[str, Any]) -> dict[str, Any]:
    """The same from a client that shows cards."""
    declared = {"extensions": {EXTENSION: {"mimeTypes": [MIME_TYPE]}}}
    params = dict(message["params"])
    if "_meta" in params:
        params["_meta"] = {**META, META_CAPABILITIES: declared}
    else:
        params["capabilities"] = declared
    return {**message, "params": params}


@pytest.mark.parametrize("version", fast_start.HANDSHAKE_VERSIONS)
def test_cards_of_the_older_protocol(version):
    messages = [with_cards(initialize(version)), INITIALIZED, request("tools/list")]
    answers = FastStart(Registry(CATALOGUE), CALLER)
    assert [answers.answer_to(each) for each in messages] == [None] * 3
    greeting, listed = (each["result"] for each in said_by_the_sdk(CALLER, messages))
    assert greeting["capabilities"]["extensions"] == SERVER_CAPABILITY
    assert_cards(listed["tools"])


def test_cards_of_the_newer_protocol():
    messages = [with_cards(request(each, _meta=META)) for each in ("server/discover", "tools/list")]
    answers = FastStart(Registry(CATALOGUE), CALLER)
    assert [answers.answer_to(each) for each in messages] == [None] * 2
    found, listed = (each["result"] for each in said_by_the_sdk(CALLER, messages))
    assert found["capabilities"]["extensions"] == {SKILLS: {}, **SERVER_CAPABILITY}
    assert_cards(listed["tools"])


def assert_cards(tools: list[dict[str, Any]]) -> None:
    assert tools[0]["_meta"] == tool_meta("crm_search") != {}
    assert tools[-1]["name"] == ANSWER


def test_versions_are_the_sdks():
    assert set(fast_start.HANDSHAKE_VERSIONS) <= set(HANDSHAKE_PROTOCOL_VERSIONS)
    assert (MODERN,) == MODERN_PROTOCOL_VERSIONS
