"""Bodies that are no messages, and messages that are no good ones."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.bottlecrm_mcp.population import unchanged

fuzzed = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

TEXT = st.text(max_size=20) | st.sampled_from(["", "\x00", "tools/call", "__proto__", "2.0"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
METHODS = st.sampled_from(
    [
        "tools/call", "tools/list", "resources/read", "resources/list", "prompts/get",
        "completion/complete", "server/discover", "initialize", "notifications/initialized",
        "ping", "logging/setLevel", "sampling/createMessage", "rpc.discover", "",
    ]
)  # fmt: skip
PARAMS = VALUES | st.fixed_dictionaries(
    {},
    optional={
        "name": VALUES | st.sampled_from(["crm_search", "crm_delete", "my_day"]),
        "arguments": VALUES,
        "uri": VALUES | st.sampled_from(["crm://leads", "crm://leads/../accounts", "file:///etc"]),
        "ref": VALUES,
        "argument": VALUES,
        "cursor": VALUES,
        "requestState": VALUES,
        "inputResponses": VALUES,
        "_meta": VALUES | st.fixed_dictionaries({}, optional={"progressToken": VALUES}),
    },
)
MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | VALUES, "method": METHODS | VALUES},
    optional={"id": st.integers() | VALUES, "params": PARAMS, "result": VALUES, "error": VALUES},
)


@fuzzed
@given(st.binary(max_size=200))
def test_any_bytes(attack: Any, body: bytes) -> None:
    assert attack(body).status_code in (400, 413)


@fuzzed
@given(VALUES)
def test_any_json(attack: Any, value: Any) -> None:
    assert attack(json.dumps(value).encode()).status_code == 400


@fuzzed
@given(MESSAGES)
@example({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "\ud800"}})
@example({"jsonrpc": "2.0", "id": "\ud800", "method": "tools/list"})
@example({"jsonrpc": "2.0", "id": 10**400, "method": "tools/list"})
def test_any_message(attack: Any, message: Any) -> None:
    attack(json.dumps(message).encode())


@fuzzed
@given(st.lists(MESSAGES, max_size=3))
def test_any_batch(attack: Any, batch: Any) -> None:
    answer = attack(json.dumps(batch).encode())
    assert answer.status_code == 400
    assert "one by one" in answer.json()["error"]["message"]


BOMBS = {
    "deep lists": b"[" * 400_000,
    "deep closed lists": b"[" * 400_000 + b"]" * 400_000,
    "deep objects": b'{"a":' * 150_000 + b"1" + b"}" * 150_000,
    "deep arguments": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{'
    b'"name":"crm_search","arguments":{"entity":"leads","filters":'
    + b'{"a":' * 900
    + b"1"
    + b"}" * 900
    + b"}}}",
    "deep with progress": b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":'
    b'{"progressToken":' + b"[" * 300_000 + b"]" * 300_000 + b"}}}",
    "long number": b'{"jsonrpc":"2.0","id":' + b"9" * 900_000 + b',"method":"tools/list"}',
    "huge exponent": b'{"jsonrpc":"2.0","id":1e999999,"method":"tools/list"}',
    "many keys": b"{" + b",".join(b'"%d":1' % number for number in range(80_000)) + b"}",
    "same key": b'{"jsonrpc":"2.0","id":1,"method":"tools/list",' + b'"a":1,' * 99_999 + b'"a":1}',
    "escapes": b'{"jsonrpc":"2.0","id":1,"method":"' + b"\\u0000" * 150_000 + b'"}',
    "no number": b'{"jsonrpc":"2.0","id":NaN,"method":"tools/list"}',
    "other encoding": json.dumps({"jsonrpc": "2.0"}).encode("utf-16"),
    "over the limit": b" " * 1_000_001,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(attack: Any, name: str) -> None:
    attack(BOMBS[name])


def test_bombs_change_nothing(attack: Any) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    delete = {"name": "crm_delete", "arguments": {"entity": "leads", "confirm": True}}
    with unchanged():
        attack([call | {"params": delete}] * 100)
        attack(json.dumps(call | {"params": delete}).encode("utf-16"))


LISTING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
MODERN = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "x", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}
VERSIONS = {
    "2025-11-25": ({}, ()),
    "2026-07-28": (
        MODERN,
        (("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/list")),
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "request_id",
    [None, 1.5, 1.0, True, False, [1], {"a": 1}, "x" * 257, "x" * 900_000, 10**300],
    ids=lambda each: repr(each)[:12],
)
def test_request_with_a_bad_id(attack: Any, version: str, request_id: Any) -> None:
    """It waits for an answer: taken for a notification it would never get one."""
    params, headers = VERSIONS[version]
    answer = attack(LISTING | {"id": request_id, "params": params}, headers)
    assert (answer.status_code, answer.json()["id"]) == (400, None)
    assert answer.json()["error"]["code"] == -32600
    assert len(answer.content) < 400


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("request_id", ["", "x" * 256, 0, -1, 10**18])
def test_request_with_a_good_id(attack: Any, version: str, request_id: Any) -> None:
    params, headers = VERSIONS[version]
    answer = attack(LISTING | {"id": request_id, "params": params}, headers)
    assert (answer.status_code, answer.json()["id"]) == (200, request_id)


def test_notification_and_response_have_no_answer(attack: Any) -> None:
    for message in (
        {"method": "notifications/initialized"},
        {"method": "tools/list"},
        {"id": None, "error": {"code": 1, "message": "x"}},
    ):
        answer = attack({"jsonrpc": "2.0", **message})
        assert (answer.status_code, answer.content) == (202, b"")


ODD = [
    *("null", "true", "1", "-0.5", '"text"', "[]", "[[]]", "[null]", '[{"jsonrpc": "2.0"}]', "{}"),
    *(
        '{"jsonrpc": "2.0"}',
        '{"id": 1, "result": []}',
        '{"jsonrpc": "2.0", "id": 1}',
        "{",
        "\ufeff1",
    ),
    '{"jsonrpc": "2.0", "id": 1, "result": []}',
    '{"jsonrpc": "2.0", "id": 1, "result": null}',
    '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "\\ud800"}}',
    '{"jsonrpc": "2.0", "id": null, "result": {}}',
    '{"jsonrpc": "2.0", "id": 1, "error": "no"}',
    '{"jsonrpc": "2.0", "id": 1, "error": {"code": true, "message": "no"}}',
    '{"jsonrpc": "2.0", "id": 1, "error": {"code": 1}}',
    '{"jsonrpc": "2.0", "id": 1, "method": null}',
    '{"jsonrpc": "2.0", "id": 1, "method": 5, "params": {}}',
    '{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": [null]}',
    '{"jsonrpc": 2.0, "id": 1, "method": "tools/list"}',
    '{"jsonrpc": null, "id": null, "method": null, "params": null}',
    '{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": 1}',
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("body", ODD)
def test_what_is_no_message(attack: Any, version: str, body: str) -> None:
    answer = attack(body.encode(), VERSIONS[version][1])
    error = answer.json()["error"]
    assert (answer.status_code, error["code"] in (-32600, -32700)) == (400, True)
    assert answer.json()["jsonrpc"] == "2.0"
    assert len(error["message"]) < 120


def test_a_character_of_two_halves_is_one(attack: Any) -> None:
    assert (
        attack(b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"\\ud83d\\ude00"}').status_code == 200
    )


def test_a_malformed_request_is_answered_under_its_id(attack: Any) -> None:
    answer = attack({"jsonrpc": "2.0", "id": 7, "method": ["tools/list"]})
    assert answer.json()["id"] == 7


LONG = "Zq" * 200_000


@pytest.mark.parametrize(
    "message",
    [
        {"method": LONG},
        {"method": LONG, "id": LONG},
        {"jsonrpc": LONG},
        {LONG: 1},
        {"method": "tools/call", "params": {"name": LONG}},
        {"method": "tools/call", "params": {"name": "crm_search", "arguments": {LONG: 1}}},
        {"method": "tools/call", "params": {"name": "crm_search", "arguments": {"entity": LONG}}},
        {"method": "resources/read", "params": {"uri": LONG}},
        {"method": "resources/read", "params": {"uri": f"crm://{LONG}"}},
        {"method": "resources/read", "params": {"uri": f"crm://leads/{LONG}"}},
        {"method": "prompts/get", "params": {"name": LONG}},
        {"method": "prompts/get", "params": {"name": "my_day", "arguments": {LONG: "1"}}},
        {
            "method": "completion/complete",
            "params": {
                "ref": {"type": "ref/prompt", "name": LONG},
                "argument": {"name": LONG, "value": LONG},
            },
        },
        {"method": "logging/setLevel", "params": {"level": LONG}},
        {"params": {"cursor": LONG}},
        {"params": {"_meta": {"progressToken": LONG}}},
        {
            "method": "initialize",
            "params": {
                "protocolVersion": LONG,
                "capabilities": {},
                "clientInfo": {"name": LONG, "version": LONG},
            },
        },
    ],
    ids=lambda each: json.dumps(each).replace(LONG, "X")[:70],
)
def test_nothing_long_is_sent_back(attack: Any, message: Any) -> None:
    answer = attack(LISTING | message)
    assert "Zq" * 400 not in answer.text


HEAVY = {
    "nested": [[[[[[[]]]]]]] * 70_000,
    "flat": [[]] * 300_000,
    "numbers": [1] * 400_000,
    "deep": json.loads("[" * 150 + "]" * 150),
}


@pytest.mark.parametrize("where", ["params", "x"])
@pytest.mark.parametrize("heavy", HEAVY)
def test_message_whose_reading_would_stop_everybody(attack: Any, heavy: str, where: str) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping", where: HEAVY[heavy]}
    before = time.process_time()
    answer = attack(message)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600)
    # The client here encodes the message, too.
    assert time.process_time() - before < 2
