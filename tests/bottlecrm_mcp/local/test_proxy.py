"""What an endpoint other than ours may do passes through, too: forms, progress, sessions, ends."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import mcp_types as types
import pytest
import uvicorn
from mcp.client import advertise
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.local.proxy import failure, modern_request, request_headers
from bottlecrm_mcp.protocol.cards.extension import EXTENSION, MIME_TYPE
from tests.agent import LEGACY, MODERN, Person, text_of
from tests.bottlecrm_mcp.local.client import launched, run, variables
from tests.bottlecrm_mcp.local.stand_in import Said, serving

TOKEN = "bcrm_pat_0123456789"
RPC = {"jsonrpc": "2.0", "id": None}
FORM = {"type": "object", "properties": {"confirm": {"type": "boolean"}}, "required": ["confirm"]}
QUESTION = types.ElicitRequestFormParams(message="Really?", requested_schema=FORM)
NO_TOOLS = {"resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "private"}
RESULT = {"resultType": "complete", "content": [{"type": "text", "text": "done"}]}


def said(text):
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)])


class Endpoint:
    """A server with sessions, streams and forms, and what it was told."""

    def __init__(self) -> None:
        self.waiting = threading.Event()
        self.cancelled = threading.Event()
        self.names: list[str] = []
        self.server = Server(
            "other",
            on_list_tools=self.list_tools,
            on_call_tool=self.call_tool,
            on_read_resource=self.read_resource,
        )

    async def list_tools(self, context, params):
        names = ("ask", "count", "declared", "wait")
        tools = [types.Tool(name=name, input_schema={"type": "object"}) for name in names]
        return types.ListToolsResult(tools=tools)

    async def call_tool(self, context, params):
        return await getattr(self, params.name)(context, params)

    async def read_resource(self, context, params):
        self.names.append(params.uri)
        return types.ReadResourceResult(
            contents=[types.TextResourceContents(uri=params.uri, text="Grüße")],
            ttl_ms=0,
            cache_scope="private",
        )

    async def ask(self, context, params):
        """By the result on the newer protocol, by a request of its own on the older."""
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            answer = (params.input_responses or {}).get("form")
            if answer is None:
                request = types.ElicitRequest(params=QUESTION)
                return types.InputRequiredResult(input_requests={"form": request})
        else:
            answer = await context.session.elicit_form(
                "Really?", FORM, related_request_id=context.request_id
            )
        return said(answer.action)

    async def count(self, context, params):
        for number in range(3):
            await context.session.report_progress(number, 3, f"step {number}")
        return said("counted")

    async def declared(self, context, params):
        return said(json.dumps(context.session.client_capabilities.extensions))

    async def wait(self, context, params):
        self.waiting.set()
        try:
            await anyio.sleep(30)
        except anyio.get_cancelled_exc_class():
            self.cancelled.set()
            raise
        return said("waited")


@contextmanager
def served(endpoint) -> Iterator[str]:
    app = endpoint.server.streamable_http_app()
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    server.force_exit = True
    thread.join()


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
def url(endpoint) -> Iterator[str]:
    with served(endpoint) as address:
        yield address


def using(url, work, era, person=None, extensions=()):
    async def through():
        async with launched(url, TOKEN, era, person, extensions) as agent:
            return await work(agent.client)

    return asyncio.run(through())


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("agrees", [True, False])
def test_form(url, era, agrees):
    async def ask(client):
        return text_of(await client.call_tool("ask", {}))

    person = Person(agrees=agrees)
    assert using(url, ask, era, person) == ("accept" if agrees else "decline")
    assert person.read == ["Really?"]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("person", [None, Person()], ids=["without forms", "with forms"])
def test_extension(url, era, person):
    async def declared(client):
        return json.loads(text_of(await client.call_tool("declared", {})))

    cards = advertise(EXTENSION, {"mimeTypes": [MIME_TYPE]})
    assert using(url, declared, era, person, [cards]) == {EXTENSION: {"mimeTypes": [MIME_TYPE]}}


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_progress(url, era):
    async def count(client):
        seen = []

        async def note(progress, total, message):
            seen.append((progress, total, message))

        answer = await client.call_tool("count", {}, progress_callback=note)
        return text_of(answer), seen

    answer, seen = using(url, count, era)
    assert answer == "counted"
    assert seen == [(number, 3, f"step {number}") for number in range(3)]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_cancellation(url, endpoint, era):
    async def leave(client):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "wait", {})
            await asyncio.to_thread(endpoint.waiting.wait, 20)
            tasks.cancel_scope.cancel()
        # The connection is as good as before.
        return await asyncio.to_thread(endpoint.cancelled.wait, 5), text_of(
            await client.call_tool("count", {})
        )

    assert using(url, leave, era) == (True, "counted")


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_name_that_no_header_can_hold(url, endpoint, era):
    async def read(client):
        return (await client.read_resource("crm://grüße/ü")).contents[0].text

    assert using(url, read, era) == "Grüße"
    assert endpoint.names == ["crm://grüße/ü"]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_error_of_the_endpoint(url, era):
    async def ask(client):
        with pytest.raises(MCPError) as raised:
            await client.get_prompt("nonsense")
        return raised.value.error.code

    assert using(url, ask, era) == -32601


def endpoint_that_then(said):
    """An MCP endpoint whose answers are these once it was found."""

    def answers(asked):
        if asked.body["method"] == "server/discover":
            return Said(200, {"jsonrpc": "2.0", "id": asked.body["id"], "result": {}})
        return said

    return answers


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (Said(401, {"error": "no"}), "unauthorized", "does not accept this token"),
        (Said(429, {}, {"Retry-After": "9"}), "rate_limited", "in 9 seconds"),
        (
            Said(429, {**RPC, "error": {"code": -32029, "message": "Wait."}}),
            "rate_limited",
            "Wait.",
        ),
        (Said(503, {**RPC, "error": {"code": -32603, "message": "Down."}}), "crm_error", "Down."),
        (Said(502, "<h1>Bad Gateway</h1>"), "crm_error", "status 502"),
        (Said(503, {"error": "No database."}), "crm_error", "No database."),
        (Said(200, "<h1>Sign in</h1>"), "not_an_endpoint", "does not answer as MCP"),
        (Said(404, "<h1>Not Found</h1>"), "not_an_endpoint", "status 404"),
        (Said(307, "", {"Location": "https://other.example/mcp"}), "redirected", "other.example"),
    ],
)
def test_endpoint_that_fails_later(answer, code, words):
    async def both(url):
        async with launched(url, TOKEN) as agent:
            error = await agent.refused("crm_search", entity="leads")
            with pytest.raises(MCPError) as raised:
                await agent.client.list_prompts()
            return error, raised.value.error

    with serving(endpoint_that_then(answer)) as stand_in:
        error, plain = asyncio.run(both(stand_in.url))
    assert error["code"] == code
    assert words in error["message"]
    assert words in plain.message
    calls = [asked for asked in stand_in.asked if asked.body["method"] == "tools/call"]
    assert len(calls) == 1


def test_message_goes_as_it_came():
    async def call(url):
        async with launched(url, TOKEN) as agent:
            await agent.client.call_tool("crm_get", {"entity": "leads", "id": "ü"})

    def answers(asked):
        result = RESULT if asked.body["method"] == "tools/call" else NO_TOOLS
        return Said(200, {"jsonrpc": "2.0", "id": asked.body["id"], "result": result})

    with serving(answers) as stand_in:
        asyncio.run(call(stand_in.url))
    (asked,) = [each for each in stand_in.asked if each.body["method"] == "tools/call"]
    assert asked.body["params"]["arguments"] == {"entity": "leads", "id": "ü"}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["mcp-protocol-version"] == MODERN
    assert asked.headers["mcp-method"] == "tools/call"
    assert asked.headers["mcp-name"] == "crm_get"


def test_refused_token_is_no_reason_to_change_the_mode():
    with serving(lambda asked: Said(401, {"error": "no"})) as stand_in:
        assert run(**variables(stand_in.url, TOKEN)).returncode == 1
    assert stand_in.paths("GET") == []


def test_headers_of_an_older_message():
    assert request_headers({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}) == {}
    assert request_headers({"jsonrpc": "2.0", "method": "x", "params": []}) == {}


def test_failure_of_an_older_call():
    problem = GatewayError("timeout", "late")
    older = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x"}}
    assert "resultType" not in failure(older, problem)["result"]
    modern = modern_request("tools/call", {"name": "x"})
    assert failure(modern, problem)["result"]["resultType"] == "complete"
    assert failure(modern_request("tools/list", {}), problem)["error"]["message"] == "late"
