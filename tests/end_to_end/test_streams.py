"""An answer is JSON, and a stream only where progress was asked for."""

import asyncio
from typing import Any

import httpx2
import pytest

from tests.conformance.server import application

BOTH = "application/json, text/event-stream"
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def call(
    tool: str, version: str, *, accept: str = BOTH, arguments: Any = None, **meta: Any
) -> httpx2.Response:
    envelope = {**(MODERN if version == "2026-07-28" else {}), **meta}
    params = {"name": tool, "arguments": arguments or {}, "_meta": envelope}
    headers = {
        "Accept": accept,
        "MCP-Protocol-Version": version,
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }

    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            return await http.post("/mcp", json=body, headers=headers)

    return asyncio.run(send())


def is_stream(answer: httpx2.Response) -> bool:
    assert answer.status_code == 200, answer.text
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in ("application/json", "text/event-stream")
    return kind == "text/event-stream"


@pytest.fixture(params=["2026-07-28", "2025-11-25"])
def version(request: pytest.FixtureRequest) -> str:
    return request.param


def test_progress_is_streamed(version: str) -> None:
    answer = call("test_tool_with_progress", version, progressToken="a")
    assert is_stream(answer)
    assert answer.text.count("notifications/progress") == 3
    assert answer.headers["x-accel-buffering"] == "no"


def test_number_as_progress_token(version: str) -> None:
    assert is_stream(call("test_tool_with_progress", version, progressToken=0))


def test_ordinary_call_is_json(version: str) -> None:
    assert not is_stream(call("test_tool_with_progress", version))


def test_progress_token_elsewhere_than_in_the_meta(version: str) -> None:
    arguments = {"progressToken": "a", "_meta": {"progressToken": "a"}}
    assert not is_stream(call("test_tool_with_progress", version, arguments=arguments))


def test_client_that_reads_no_streams() -> None:
    answer = call(
        "test_tool_with_progress", "2026-07-28", accept="application/json", progressToken="a"
    )
    assert not is_stream(answer)


def test_error_of_a_call_that_asks_for_progress_keeps_its_status() -> None:
    answer = call("test_missing_capability", "2026-07-28", progressToken="a")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32021
