"""A pool thread keeps its connection while it is busy, and nothing that was left on it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from bottlecrm_mcp.hosted import kept_connection
from bottlecrm_mcp.hosted.thread_pool import framed
from bottlecrm_mcp.hosted.workers import Workers
from demo_crm.access.row_security import set_current_org
from pat_tokens.lookup import look_up

pytestmark = pytest.mark.django_db(transaction=True)

ORG = "00000000-0000-4000-8000-00000000000a"
PID = "SELECT pg_backend_pid()"
CURRENT_ORG = "SELECT current_setting('app.current_org', true)"


class Thread:
    """One pool thread; it keeps its connection until it is told to give it back."""

    def __init__(self) -> None:
        self.rests = threading.Event()
        self._workers = Workers(1, "kept", self._rest, patience=600)

    def _rest(self) -> None:
        kept_connection.give_back()
        self.rests.set()

    def do(self, work: Callable[[], Any]) -> Any:
        results: list[Any] = []
        done = threading.Event()

        def run() -> Callable[[], None]:
            with suppress(Exception):
                results.append(framed(work))
            return done.set

        self._workers.submit(run)
        assert done.wait(30)
        return results[0] if results else None

    def end(self) -> None:
        self._workers.finish()
        assert self.rests.is_set()


@pytest.fixture
def thread() -> Iterator[Thread]:
    thread = Thread()
    yield thread
    thread.end()


@pytest.fixture
def pool() -> dict[str, Any]:
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]["pool"]
    return options


def raw() -> Any:
    connection.ensure_connection()
    return connection.connection


def found(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def seen(sql: str) -> Any:
    """By a statement that nothing is wrapped round, as the look-up of a token is sent."""
    return raw().execute(sql).fetchone()[0]


def leave_org() -> int:
    set_current_org(ORG)
    assert found(CURRENT_ORG) == ORG
    return int(found(PID))


def test_the_next_work_has_the_same_connection_as_the_pool_would_lend_it(thread: Thread) -> None:
    before = thread.do(leave_org)
    assert thread.do(lambda: seen(CURRENT_ORG)) == ""
    assert thread.do(lambda: seen(PID)) == before


def test_after_a_look_up_of_a_token_there_is_nothing_to_reset(
    thread: Thread, pool: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    resets: list[Any] = []
    monkeypatch.setitem(pool, "reset", resets.append)

    def look() -> int:
        raw()
        assert look_up("0" * 64) is None
        return int(seen(PID))

    before = thread.do(look)
    assert thread.do(lambda: found(PID)) == before
    assert resets == []
    assert thread.do(lambda: seen(PID)) == before
    assert len(resets) == 1


def test_without_a_reset_what_was_used_is_given_back(
    thread: Thread, pool: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(pool, "reset")
    thread.do(leave_org)
    assert thread.do(lambda: connection.connection is None)


@pytest.mark.parametrize("leaves_open", [True, False])
def test_connection_that_can_not_be_reset_is_dropped(
    thread: Thread, pool: dict[str, Any], monkeypatch: pytest.MonkeyPatch, leaves_open: bool
) -> None:
    def reset(connection: Any) -> None:
        connection.autocommit = False
        connection.execute("SELECT 1")
        if not leaves_open:
            raise RuntimeError

    before = thread.do(leave_org)
    monkeypatch.setitem(pool, "reset", reset)
    assert thread.do(lambda: connection.connection is None)
    assert thread.do(lambda: seen(PID)) != before


def fail() -> None:
    with pytest.raises(DatabaseError):
        found("SELECT nothing")


def stay_in_a_transaction() -> None:
    transaction.set_autocommit(False)
    found(PID)


def stay_in_an_atomic_block() -> None:
    transaction.atomic().__enter__()
    leave_org()


@pytest.mark.parametrize("work", [fail, stay_in_a_transaction, stay_in_an_atomic_block])
def test_connection_in_doubt_is_given_back(thread: Thread, work: Callable[[], None]) -> None:
    thread.do(work)
    assert thread.do(lambda: connection.connection is None)


def test_connection_is_given_back_now_and_then(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_connection, "MOST_SECONDS", 0)
    thread.do(lambda: found(PID))
    assert thread.do(lambda: connection.connection is None)


def test_connection_that_somebody_waits_for_is_given_back(thread: Thread) -> None:
    connection.ensure_connection()
    lender: Any = connection.pool  # type: ignore[attr-defined]
    others: list[Any] = []
    served = threading.Event()

    def wait() -> None:
        others.append(lender.getconn(timeout=30))
        served.set()

    def work() -> None:
        raw()
        while len(others) + 2 < lender.max_size:
            others.append(lender.getconn(timeout=30))
        threading.Thread(target=wait).start()
        while not lender.get_stats()["requests_waiting"]:
            pass

    try:
        thread.do(work)
        assert served.wait(30)
    finally:
        for each in others:
            lender.putconn(each)


def test_thread_without_work_gives_its_connection_back() -> None:
    given_back = threading.Event()

    def rest() -> None:
        kept_connection.give_back()
        assert connection.connection is None
        given_back.set()

    def work() -> Callable[[], object]:
        framed(lambda: found(PID))
        return int

    workers = Workers(1, "idle", rest, patience=0.01)
    workers.submit(work)
    assert given_back.wait(30)
    workers.finish()
