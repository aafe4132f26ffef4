import socket
import time

import pytest

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.rest.connection import Connection
from tests.bottlecrm_mcp.local.stand_in import NOT_FOUND, Said, serving

TOKEN = "bcrm_pat_0123456789"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr("bottlecrm_mcp.gateway.rest.connection.RETRIES", (0.0, 0.0))


def connected(stand_in, **options):
    return Connection(stand_in.url, TOKEN, **options)


def one_by_one(*answers):
    left = list(answers)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


def fault_of(work):
    with pytest.raises(GatewayError) as raised:
        work()
    message = str(raised.value)
    assert "0123456789" not in message
    assert "\n" not in message
    return raised.value.code, message


def test_read():
    with serving(lambda asked: Said(200, {"a": 1})) as crm:
        reply = connected(crm).read("/api/leads/", {"tags": ["x", "y"], "q": "a b"})
    assert (reply.status, reply.data) == (200, {"a": 1})
    (asked,) = crm.asked
    assert asked.path == "/api/leads/?tags=x&tags=y&q=a+b" or "q=a%20b" in asked.path
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["accept"] == "application/json"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_read_is_tried_again(status):
    with serving(one_by_one(Said(status, "busy"), Said(200, {}))) as crm:
        assert connected(crm).read("/").status == 200
    assert len(crm.asked) == 2


def test_read_is_not_tried_for_ever():
    with serving(lambda asked: Said(503, "busy")) as crm:
        assert connected(crm).read("/").status == 503
    assert len(crm.asked) == 3


def test_failure_of_the_crm_is_not_tried_again():
    with serving(lambda asked: Said(500, "<h1>Server Error</h1>")) as crm:
        reply = connected(crm).read("/")
    assert (reply.status, reply.data) == (500, None)
    assert len(crm.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_write_is_never_tried_again(status):
    with serving(lambda asked: Said(status, "no")) as crm:
        reply, _ = connected(crm).write("POST", "/api/leads/", {"a": 1})
    assert reply.status == status
    assert reply.maybe_kept
    assert crm.asked[0].body == {"a": 1}
    assert len(crm.asked) == 1


@pytest.mark.parametrize(
    ("status", "kept"), [(400, True), (403, False), (404, False), (405, False)]
)
def test_what_a_refused_write_may_leave(status, kept):
    with serving(lambda asked: Said(status, {"errors": "no"})) as crm:
        assert connected(crm).write("PATCH", "/", {})[0].maybe_kept is kept


def test_delete_has_no_body():
    with serving(lambda asked: Said(204)) as crm:
        assert connected(crm).write("DELETE", "/x/").reply.status == 204
    assert crm.asked[0].body is None


def slow(asked):
    time.sleep(1)
    return Said(200, {})


def test_slow_read():
    with serving(slow) as crm:
        code, message = fault_of(lambda: connected(crm, answer_seconds=0.2).read("/"))
    assert code == "timeout"
    assert "did not answer in time" in message
    assert len(crm.asked) == 1


def test_slow_write_says_that_its_outcome_is_not_known():
    with serving(slow) as crm:
        code, message = fault_of(lambda: connected(crm, answer_seconds=0.2).write("POST", "/", {}))
    assert code == "timeout"
    assert "not known" in message
    assert len(crm.asked) == 1


def test_nothing_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    connection = Connection(f"http://127.0.0.1:{port}", TOKEN)
    for work in (lambda: connection.read("/"), lambda: connection.write("POST", "/", {})):
        code, message = fault_of(work)
        assert code == "unreachable"
        assert "nothing listens there" in message
        assert "not known" not in message


def test_unknown_host():
    code, message = fault_of(lambda: Connection("https://crm.invalid", TOKEN).read("/"))
    assert code == "unreachable"
    assert "was not found" in message


def test_tls_failure():
    """Here a server that speaks plain HTTP."""
    with serving(lambda asked: Said(200, {})) as crm:
        connection = Connection(crm.url.replace("http:", "https:"), TOKEN)
        code, message = fault_of(lambda: connection.read("/"))
    assert code == "tls_failed"
    assert "No trusted TLS connection" in message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_token_follows_no_redirect(status):
    with serving(lambda asked: Said(200, {})) as other:
        target = {"Location": f"{other.url}/api/leads/"}
        with serving(lambda asked: Said(status, "", target)) as crm:
            code, message = fault_of(lambda: connected(crm).read("/api/leads/"))
    assert code == "redirected"
    assert "set BCRM_BASE_URL" in message
    assert other.asked == []


def test_web_page():
    with serving(lambda asked: Said(200, "<html>Sign in</html>")) as crm:
        code, message = fault_of(lambda: connected(crm).read("/"))
    assert code == "not_the_crm"
    assert "web page" in message


def test_page_for_what_is_not_found_is_an_answer():
    with serving(lambda asked: Said(404, NOT_FOUND)) as crm:
        reply = connected(crm).read("/api/leads/not-an-id/")
    assert (reply.status, reply.data) == (404, None)


def test_slow_down():
    with serving(lambda asked: Said(429, {}, {"Retry-After": "7"})) as crm:
        code, message = fault_of(lambda: connected(crm).read("/"))
    assert code == "rate_limited"
    assert "in 7 seconds" in message


def test_huge_answer():
    with serving(lambda asked: Said(200, {"a": "x" * 2_000})) as crm:
        code, _ = fault_of(lambda: connected(crm, most_bytes=1_000).read("/"))
    assert code == "too_large"


def test_time_by_the_crms_clock():
    with serving(lambda asked: Said(200, {}, {"X": "y"})) as crm:
        _, at = connected(crm).write("POST", "/", {})
    assert abs(at.timestamp() - time.time()) < 5


def test_token_is_in_no_repr():
    assert TOKEN not in repr(Connection("https://crm.example.com", TOKEN))
