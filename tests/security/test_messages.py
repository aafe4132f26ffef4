"""Bodies that are no messages, and messages that are no good ones."""

import json
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
    assert attack(json.dumps(batch).encode()).status_code == 400


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


BAD_IDS = [None, 1.5, 1.0, True, [1], {}, "x" * 257, "x" * 900_000, 10**300]


@pytest.mark.parametrize("method", ["tools/list", "notifications/initialized", "no/such"])
@pytest.mark.parametrize("given", BAD_IDS, ids=[repr(each)[:10] for each in BAD_IDS])
def test_request_that_can_not_be_answered_by_its_id(attack: Any, given: Any, method: str) -> None:
    answer = attack({"jsonrpc": "2.0", "id": given, "method": method})
    assert answer.status_code == 400
    assert (answer.json()["id"], answer.json()["error"]["code"]) == (None, -32600)
    assert len(answer.content) < 500


@pytest.mark.parametrize("given", [0, -1, 2**63, "", "x" * 256, "é"])
def test_id_comes_back(attack: Any, given: Any) -> None:
    answer = attack({"jsonrpc": "2.0", "id": given, "method": "tools/list"})
    assert (answer.status_code, answer.json()["id"]) == (200, given)


def test_method_is_not_sent_back_at_length(attack: Any) -> None:
    answer = attack({"jsonrpc": "2.0", "id": 1, "method": "x" * 900_000})
    assert answer.status_code == 400
    assert len(answer.content) < 500


def test_notification_has_no_answer(attack: Any) -> None:
    answer = attack({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (answer.status_code, answer.content) == (202, b"")
