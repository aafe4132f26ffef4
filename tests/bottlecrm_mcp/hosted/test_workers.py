"""Threads of the pool: which takes the next work, who waits for one, and how they end."""

import threading
from collections.abc import Callable
from functools import partial

from bottlecrm_mcp.hosted.workers import Tell, Workers


def nothing() -> None:
    pass


def telling(work: Callable[[], object], tell: Tell = nothing) -> Callable[[], Tell]:
    def done() -> Tell:
        work()
        return tell

    return done


def test_who_is_told_finds_the_same_thread_again() -> None:
    workers, used = Workers(8, "same", nothing, patience=600), list[int]()
    over = threading.Event()

    def go_on(left: int) -> None:
        """On the thread that has just become free."""
        note = partial(used.append, threading.get_ident())
        workers.submit(telling(note, partial(go_on, left - 1) if left else over.set))

    go_on(20)
    assert over.wait(30)
    workers.finish()
    assert len(used) == 21
    assert len(set(used[1:])) == 1


def test_work_waits_for_a_thread_in_its_order() -> None:
    workers, let_go = Workers(1, "order", nothing, patience=600), threading.Event()
    order: list[int] = []
    workers.submit(telling(partial(let_go.wait, 30)))
    for number in range(5):
        workers.submit(telling(partial(order.append, number)))
    let_go.set()
    workers.finish()
    assert order == [0, 1, 2, 3, 4]


def test_what_has_begun_ends_before_the_process_does() -> None:
    workers, done = Workers(2, "ends", nothing, patience=600), list[bool]()
    begun, let_go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert let_go.wait(30)
        done.append(True)

    workers.submit(telling(work))
    assert begun.wait(30)
    threading.Timer(0.05, let_go.set).start()
    workers.finish()
    assert done


def test_thread_that_can_not_give_back_what_it_kept_takes_the_next_work() -> None:
    tried = threading.Event()

    def rest() -> None:
        tried.set()
        raise RuntimeError("The other side has gone.")

    workers, done = Workers(1, "rest", rest, patience=0.01), threading.Event()
    workers.submit(telling(nothing))
    assert tried.wait(30)
    workers.submit(telling(done.set))
    assert done.wait(30)
    workers.finish()
