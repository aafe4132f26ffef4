"""Organisation of a session: what is not sent to the database changes nothing that it shows."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from bottlecrm_mcp.gateway.in_process.deadline import Deadline, Session
from bottlecrm_mcp.gateway.in_process.gateway import database_call
from demo_crm.access.row_security import set_current_org
from tests.round_trips import round_trips

pytestmark = pytest.mark.django_db(transaction=True)

A, B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
READ = "SELECT coalesce(current_setting('app.current_org', true), '')"


def seen() -> str:
    """What the policies see in a statement."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return str(cursor.fetchone()[0])


def kept() -> str:
    """What the session has, by a statement that nothing is wrapped round."""
    connection.ensure_connection()
    return str(connection.connection.execute(READ).fetchone()[0])


def clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.current_org', '', false)")


@pytest.fixture(autouse=True)
def session() -> Iterator[None]:
    with database_call():
        with Session(Deadline(600)).open():
            yield
        assert kept() == ""


def test_the_same_organisation_again_takes_no_round_trip() -> None:
    set_current_org(A)
    with round_trips() as made:
        clear()
        set_current_org(A)
        set_current_org(None)
        set_current_org(A)
    assert made.count == 0
    assert seen() == A


def test_every_other_statement_finds_it_cleared() -> None:
    set_current_org(A)
    clear()
    assert seen() == ""
    set_current_org(A)
    assert seen() == A


def test_another_organisation() -> None:
    set_current_org(A)
    clear()
    set_current_org(B)
    assert seen() == B
    clear()
    set_current_org(A)
    assert seen() == A


def test_other_organisation_that_can_not_be_set() -> None:
    set_current_org(A)
    clear()
    with suppress(DataError):
        # PostgreSQL takes no such text.
        set_current_org("\x00")
    assert seen() == ""


def rolled_back(work: Callable[[], Any]) -> None:
    with transaction.atomic():
        work()
        transaction.set_rollback(True)


def test_what_a_rollback_takes_back_is_set_again() -> None:
    rolled_back(lambda: set_current_org(A))
    assert seen() == ""
    clear()
    set_current_org(A)
    assert seen() == A
    clear()
    rolled_back(seen)
    set_current_org(A)
    assert seen() == A


@pytest.mark.parametrize(
    "sql", ["RESET app.current_org", "SELECT set_config('app.current_org', '', FALSE)"]
)
def test_what_is_changed_otherwise_is_not_relied_on(sql: str) -> None:
    set_current_org(A)
    with connection.cursor() as cursor:
        cursor.execute(sql)
    clear()
    set_current_org(A)
    assert seen() == A


def test_another_connection_knows_nothing() -> None:
    set_current_org(A)
    clear()
    connection.close()
    set_current_org(A)
    assert kept() == A
    clear()
    connection.close()
    assert seen() == ""
