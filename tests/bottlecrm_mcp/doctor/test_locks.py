"""Nobody waits long for the doctor: a second session creates invoices while it tries things."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psycopg
import pytest
from django.db import connection, connections

from bottlecrm_mcp.doctor import locks, person
from bottlecrm_mcp.doctor.acceptance.matrix import trials_of
from bottlecrm_mcp.doctor.acceptance.runner import Runner, Trial
from bottlecrm_mcp.doctor.findings import Outcome
from bottlecrm_mcp.doctor.rollback import never_committed
from demo_crm.access.row_security import org_context
from demo_crm.catalogue import CATALOGUE
from demo_crm.models import Account, Contact, Invoice

pytestmark = pytest.mark.django_db(transaction=True)

INVOICES = CATALOGUE.entity("invoices")
# Only in case that something is wrong: what is waited for is an event.
FOR_EVER = 30
WAITING = """
SELECT extract(epoch FROM clock_timestamp() - min(waitstart)) FROM pg_locks
WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def unique_numbers(transactional_db: None) -> Iterator[None]:
    """BottleCRM's are, so that two who create an invoice wait for one another."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_number ON demo_crm_invoice (invoice_number)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_number")


@pytest.fixture
def new_invoice(api, two_orgs, unique_numbers) -> Callable[[], int]:
    """Creates an invoice over the REST API and gives the status."""
    org = two_orgs.alpha
    with org_context(org):
        account = Account.objects.create(org=org, name="Acme")
        contact = Contact.objects.create(org=org, first_name="A", last_name="B", account=account)
    body = {
        "invoice_title": "Meanwhile",
        "account_id": str(account.pk),
        "contact_id": str(contact.pk),
    }
    return lambda: api(two_orgs.alpha_user).post("/api/invoices/", body, format="json").status_code


@pytest.fixture
def runner(two_orgs) -> Runner:
    admin = two_orgs.alpha_admin
    with never_committed():
        someone = person.person(admin.user.email, admin.org.name)
    return Runner(someone)


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """In another thread, and so in another session."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(FOR_EVER)


def numbers(org) -> list[str]:
    with org_context(org):
        return sorted(Invoice.objects.values_list("invoice_number", flat=True))


def sleep_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [FOR_EVER])


@pytest.mark.parametrize("where", ["python", "database"])
def test_slow_trial_lets_others_go_on(runner, two_orgs, new_invoice, monkeypatch, where):
    monkeypatch.setattr(locks, "MOST_SECONDS", 0.3)
    made, created = Event(), Event()
    statuses = []

    def create() -> None:
        made.wait(FOR_EVER)
        statuses.append(new_invoice())
        created.set()

    def work() -> None:
        runner.samples.record(INVOICES)
        made.set()
        if where == "database":
            sleep_in_the_database()
        elif not created.wait(FOR_EVER):
            return
        runner.agent.do("crm_search", entity="invoices")

    with meanwhile(create):
        runner.try_one(Trial("invoices", "something slow", work))
    assert statuses == [201]
    assert [cell.outcome for cell in runner.cells] == [Outcome.UNTRIED]
    assert "2 s" in runner.cells[0].sentence
    assert len(numbers(two_orgs.alpha)) == 1


def test_next_trial_has_a_session_of_its_own(runner, unique_numbers, monkeypatch):
    monkeypatch.setattr(locks, "MOST_SECONDS", 0.1)

    def work() -> None:
        runner.samples.record(INVOICES)
        sleep_in_the_database()

    runner.try_one(Trial("invoices", "something slow", work))
    monkeypatch.undo()
    runner.run(trial for trial in trials_of(runner, INVOICES, write=True) if "crm_" in trial.what)
    slow, *others = runner.cells
    assert slow.outcome is Outcome.UNTRIED
    assert [cell.sentence for cell in others if cell.outcome is Outcome.FAILED] == []


def test_what_others_commit_meanwhile_is_no_failure(runner, two_orgs, new_invoice):
    """The number of an invoice that was created since the transaction began is taken."""
    attempts = []

    def work() -> None:
        runner.agent.do("crm_search", entity="invoices")
        attempts.append(1)
        if len(attempts) <= 3:
            with meanwhile(new_invoice):
                pass
        runner.samples.record(INVOICES)

    runner.try_one(Trial("invoices", "a create", work))
    assert [cell.outcome for cell in runner.cells] == [Outcome.OK]
    assert len(attempts) == 4
    assert len(numbers(two_orgs.alpha)) == 3


def test_invoices_are_created_while_the_matrix_is_tried(runner, two_orgs, new_invoice):
    trials = [
        trial
        for trial in trials_of(runner, INVOICES, write=True)
        if trial.makes and not trial.what.startswith("refuse")
    ]
    begun, is_over = Event(), Event()
    statuses, waits = [], []

    def beginning() -> Iterator[Trial]:
        for trial in trials:
            begun.set()
            yield trial
        is_over.set()
        begun.set()

    def create() -> None:
        while begun.wait(FOR_EVER) and not is_over.is_set():
            begun.clear()
            statuses.append(new_invoice())

    def watch() -> None:
        with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
            while not is_over.wait(0.01):
                waits.append(session.execute(WAITING).fetchone()[0] or 0)

    with meanwhile(create), meanwhile(watch):
        runner.run(beginning())
    failed = {each.what: each.sentence for each in runner.cells if each.outcome is Outcome.FAILED}
    assert failed == {}
    assert len(runner.cells) == len(trials)
    assert set(statuses) == {201}
    assert max(waits) < 2.5
    # Nothing of the doctor's is left, nor a gap where its numbers were.
    assert [number[-4:] for number in numbers(two_orgs.alpha)] == [
        f"{number:04}" for number in range(1, len(statuses) + 1)
    ]


def test_statements_that_take_locks():
    for sql in (
        "INSERT INTO a VALUES (1)",
        "update a set b = 1",
        "SELECT b FROM a FOR UPDATE",
        "SELECT b FROM a FOR NO KEY UPDATE SKIP LOCKED",
        "SELECT pg_advisory_xact_lock(1)",
        "WITH gone AS (DELETE FROM a RETURNING b) SELECT b FROM gone",
        "LOCK TABLE a",
    ):
        assert locks.takes_locks(sql), sql
    for sql in (
        'SELECT "a"."updated_at" FROM "a" WHERE "a"."is_deleted"',
        "SELECT set_config('app.current_org', %s, false)",
        'SAVEPOINT "s1"',
        'ROLLBACK TO SAVEPOINT "s1"',
    ):
        assert not locks.takes_locks(sql), sql


def test_transactions_see_one_state():
    with never_committed(), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("1s",)
