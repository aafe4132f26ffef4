"""A start while the CRM can't be reached: the client is served all the same."""

import asyncio
import json
import math
import subprocess
from contextlib import asynccontextmanager, contextmanager

import anyio
import pytest

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.local import waiting_room
from bottlecrm_mcp.local.jsonrpc_stdio import Message
from bottlecrm_mcp.local.waiting_room import WaitingRoom
from tests.bottlecrm_mcp.local.client import COMMAND, variables
from tests.bottlecrm_mcp.local.stand_in import Said, crm, serving

TOKEN = "bcrm_pat_0123456789"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
BUSY = {"jsonrpc": "2.0", "id": None, "error": {"code": -32029, "message": "Too many calls."}}


@contextmanager
def started(url, mode="auto"):
    process = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables(url, TOKEN, BCRM_MODE=mode),
    )
    with process:
        yield process
        process.stdin.close()
        process.wait(timeout=20)


def tell(process, *messages):
    for message in messages:
        process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def heard(process):
    return json.loads(process.stdout.readline())


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (Said(429, BUSY, {"Retry-After": "1"}), "Too many calls. Trying again in 1 s"),
        (Said(503, {"detail": "later"}, {"Retry-After": "1"}), "status 503): later Trying again"),
        (Said(502, "<h1>Bad gateway</h1>"), "fails at present (status 502)"),
    ],
    ids=["429", "503", "502"],
)
def test_an_endpoint_that_is_busy_at_the_start(first, said):
    def answers(asked):
        if asked.path == "/mcp" and len(stand_in.asked) == 1:
            return first
        result = {"tools": [{"name": "crm_search"}]} if asked.body["method"] == "tools/list" else {}
        return Said(200, {"jsonrpc": "2.0", "id": asked.body["id"], "result": result})

    with serving(answers) as stand_in, started(stand_in.url) as process:
        tell(process, INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"}, LIST)
        greeting, listed = heard(process), heard(process)
        assert process.poll() is None
        process.stdin.close()
        told = process.stderr.read().splitlines()
    assert greeting["id"] == 1
    assert greeting["result"]["protocolVersion"] == "2025-11-25"
    assert listed == {"jsonrpc": "2.0", "id": 2, "result": {"tools": [{"name": "crm_search"}]}}
    assert [each.body["method"] for each in stand_in.asked[2:]].count("initialize") == 1
    assert said in told[0]
    assert told[1:] == ["bcrm-mcp: the CRM answers now."]


def test_a_rest_api_that_is_not_up_at_the_start():
    def answers(asked):
        is_up = stand_in.paths().count("/api/profile/") > 1
        return crm(asked) if is_up else Said(500, {"detail": "starting"})

    with serving(answers) as stand_in, started(stand_in.url, "rest") as process:
        tell(process, INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"}, LIST)
        assert heard(process)["id"] == 1
        assert len(heard(process)["result"]["tools"]) > 5


def test_a_refused_token_ends_the_wait():
    def answers(asked):
        status = 503 if len(stand_in.asked) == 1 else 401
        return Said(status, {"detail": "no"})

    with serving(answers) as stand_in, started(stand_in.url) as process:
        tell(process, INITIALIZE)
        assert process.wait(timeout=20) == 1
        assert "does not accept this token" in process.stderr.read()


class Client:
    """The client's end, in memory."""

    def __init__(self):
        self._in, self._out = anyio.create_memory_object_stream[Message](math.inf)
        self.got, self.heard = anyio.create_memory_object_stream[Message](math.inf)

    @asynccontextmanager
    async def messages(self):
        yield self._out

    def send(self, message):
        self.got.send_nowait(message)

    def tell(self, **message):
        self._in.send_nowait({"jsonrpc": "2.0", **message})

    def leave(self):
        self._in.close()


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(waiting_room, "HELD_SECONDS", 0.0)
    monkeypatch.setattr(waiting_room, "TICK_SECONDS", 0.01)


def test_lists_are_empty_first_and_announced_later(at_once):
    async def use():
        client, is_up = Client(), anyio.Event()
        said: list[str] = []

        async def connect():
            if not is_up.is_set():
                raise GatewayError("unreachable", "Nothing listens there.", 1)
            return "served"

        room = WaitingRoom(client, said.append)
        async with room.open(), anyio.create_task_group() as tasks:
            reached = []

            async def reach():
                reached.append(await room.until_reached(connect))

            tasks.start_soon(reach)
            client.tell(**{**INITIALIZE, "id": 1})
            greeting = await client.heard.receive()
            client.tell(id=2, method="tools/list")
            client.tell(id=3, method="ping")
            client.tell(id=4, method="tools/call", params={"name": "crm_search"})
            answers = {each["id"]: each for each in [await client.heard.receive() for _ in "123"]}
            is_up.set()
            announced = await client.heard.receive()
            room.send({"jsonrpc": "2.0", "id": 1, "result": "the CRM's own greeting"})
            client.tell(id=5, method="tools/list")
            async with room.messages() as messages:
                passed_on = [await anext(messages), await anext(messages)]
            client.leave()
        return greeting, answers, announced, passed_on, reached, said, client

    greeting, answers, announced, passed_on, reached, said, client = asyncio.run(use())
    assert greeting["result"]["capabilities"]["tools"]["listChanged"] is True
    assert answers[2]["result"] == {"tools": []}
    assert answers[3]["result"] == {}
    assert answers[4]["result"]["isError"] is True
    assert announced["method"] == "notifications/tools/list_changed"
    assert [each["id"] for each in passed_on] == [1, 5]
    assert reached == ["served"]
    assert said[0].startswith("Nothing listens there. Trying again in 1 s")
    with pytest.raises(anyio.WouldBlock):
        client.heard.receive_nowait()
