"""The queue of the call log, and the thread that stores it."""

import logging
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection, transaction

from pat_tokens.audit import calls as module
from pat_tokens.audit.calls import CallLog, call_log
from pat_tokens.audit.source import Source, coming_from
from pat_tokens.mcp_endpoint import record_call
from pat_tokens.models import Call, CallRecord
from pat_tokens.rls import in_organisation

A, B = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def record(org, **facts) -> None:
    record_call(
        **{
            "org_id": str(org.pk),
            "actor_id": "7",
            "actor": "a@example.com",
            "token_id": A,
            "token_name": "Laptop",
            "client": ("Claude", "1.2"),
            "tool": "crm_get",
            "entity": "leads",
            "outcome": "ok",
            "code": "",
            "writes": False,
            "began": datetime.now(UTC),
            "ms": 12,
            **facts,
        }
    )


def test_row(two_orgs, calls) -> None:
    record(two_orgs.alpha, record_ids=[A], fields=["name", "status"])
    (call,) = calls(two_orgs.alpha)
    assert (call.tool, call.entity, call.record_id, call.records) == ("crm_get", "leads", A, 1)
    assert (call.client, call.client_version, call.fields) == ("Claude", "1.2", "name, status")
    assert (call.token_name, str(call.token_id), call.ms) == ("Laptop", A, 12)
    assert calls(two_orgs.beta) == []


def test_several_records(two_orgs, calls) -> None:
    record(two_orgs.alpha, record_ids=[A, B])
    (call,) = calls(two_orgs.alpha)
    assert (call.record_id, call.records) == ("", 2)
    with in_organisation(two_orgs.alpha.pk):
        rows = CallRecord.objects.filter(call_id=call.pk)
        assert set(rows.values_list("record_id", flat=True)) == {A, B}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (("x" * 300, "9" * 99), ("x" * 100, "9" * 50)),
        (("a\x00b\x1b[31m\u202ec\n", ""), ("ab[31mc", "")),
        (("<b>Claude</b>", "1"), ("<b>Claude</b>", "1")),
        (("bcrm_pat_" + "a" * 49, "1"), ("bcrm_pat_aaaa…", "1")),
        (("", ""), ("claude-code", "2.0.1")),
    ],
)
def test_what_a_client_calls_itself(two_orgs, calls, said, kept) -> None:
    with coming_from(Source(client="claude-code/2.0.1 (cli)")):
        record(two_orgs.alpha, client=said)
    (call,) = calls(two_orgs.alpha)
    assert (call.client, call.client_version) == kept


def test_never_raises(two_orgs, calls, caplog) -> None:
    record(two_orgs.alpha, token_id="no uuid")
    record(SimpleNamespace(pk="none"))
    assert [each.token_id for each in calls(two_orgs.alpha)] == [None]
    assert "could not be logged" in caplog.text


def test_full_queue_is_counted_and_said(two_orgs, calls, monkeypatch, caplog) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    for _ in range(5):
        record(two_orgs.alpha)
    record(two_orgs.beta)
    assert [(each.outcome, each.records) for each in calls(two_orgs.alpha, outcome="lost")] == [
        ("lost", 3)
    ]
    assert len(calls(two_orgs.alpha, outcome="ok")) == 2
    assert [each.records for each in calls(two_orgs.beta)] == [1]
    assert f"3 calls of organisation {two_orgs.alpha.pk} were not logged" in caplog.text


def test_database_that_is_down_for_a_while(two_orgs, calls, monkeypatch, caplog) -> None:
    record(two_orgs.beta)
    record(two_orgs.alpha)
    store = module._store

    def fail(org_id, rows) -> None:
        if org_id == two_orgs.alpha.pk:
            raise OperationalError
        store(org_id, rows)

    monkeypatch.setattr(module, "_store", fail)
    assert not call_log.flush()
    assert not call_log.flush()
    assert caplog.text.count("waits for the database") == 1
    monkeypatch.setattr(module, "_store", store)
    assert len(calls(two_orgs.alpha)) == len(calls(two_orgs.beta)) == 1


TRIGGER = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'not this one' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER fail BEFORE INSERT ON pat_tokens_call FOR EACH ROW
    WHEN (NEW.tool = 'bad') EXECUTE FUNCTION fail();
"""


def fail_with(code: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(TRIGGER.format(code=code))


@pytest.mark.parametrize(
    "bad",
    [
        {"record_ids": [A, "\x00"]},
        {"record_ids": [A, "\ud800"]},
        {"ms": 2**40},
        {"outcome": "x" * 11},
        {"began": None},
        {"fields": 7},
        {"tool": "bad"},
    ],
    ids=str,
)
def test_row_that_is_refused_is_said_and_stops_no_other(two_orgs, calls, caplog, bad) -> None:
    fail_with("23514")
    for number in range(5):
        record(two_orgs.alpha, **({"record_ids": [A, B]} | (bad if number == 2 else {})))
    record(two_orgs.beta)
    kept = [each.records for each in calls(two_orgs.alpha, outcome="ok")]
    lost = [each.records for each in calls(two_orgs.alpha, outcome="lost")]
    assert (kept, lost) == ([2] * 4, [1])
    assert len(calls(two_orgs.beta)) == 1
    assert "could not be logged" in caplog.text


@pytest.mark.parametrize(
    "code",
    ["40001", "40P01", "42P01", "53100", "55P03", "57014"],
    ids=["serialization", "deadlock", "no table", "disk full", "lock timeout", "timeout"],
)
def test_database_that_takes_nothing_for_a_while(two_orgs, calls, code) -> None:
    fail_with(code)
    record(two_orgs.alpha, tool="bad")
    record(two_orgs.alpha)
    assert not call_log.flush()
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fail ON pat_tokens_call")
    assert [each.outcome for each in calls(two_orgs.alpha)] == ["ok", "ok"]


def test_statement_that_takes_too_long_for_many_rows(two_orgs, calls, monkeypatch) -> None:
    """Fewer are stored at once then, until they fit into the time."""
    store = module._store

    def slow(org_id, rows) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 50")
            try:
                with transaction.atomic():
                    cursor.execute("SELECT pg_sleep(%s)", [0.1 if len(rows) > 2 else 0])
            finally:
                cursor.execute("SET statement_timeout = 0")
        store(org_id, rows)

    monkeypatch.setattr(module, "_store", slow)
    monkeypatch.setattr(module, "BATCH", 8)
    call_log.__init__()  # type: ignore[misc]
    for _ in range(9):
        record(two_orgs.alpha)
    assert [call_log.flush() for _ in range(3)] == [False, False, True]
    assert len(calls(two_orgs.alpha)) == 9


def test_person_who_is_deleted_meanwhile(two_orgs, calls) -> None:
    record(two_orgs.alpha, actor_id=str(two_orgs.alpha_user.pk))
    two_orgs.alpha_user.user.delete()
    assert [each.outcome for each in calls(two_orgs.alpha)] == ["ok"]


def test_none_is_changed_and_none_removed_outside_pruning(two_orgs, calls) -> None:
    record(two_orgs.alpha, record_ids=[A, B])
    (call,) = calls(two_orgs.alpha)
    with in_organisation(two_orgs.alpha.pk):
        assert Call.objects.update(tool="other") == CallRecord.objects.update(record_id="x") == 0
        assert Call.objects.all().delete()[0] == CallRecord.objects.all().delete()[0] == 0
    with in_organisation(two_orgs.beta.pk):
        assert not CallRecord.objects.exists()
    assert calls(two_orgs.alpha) == [call]


@pytest.mark.django_db(transaction=True)
def test_thread_stores_without_being_asked(two_orgs, monkeypatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    stored = threading.Event()
    store = module._store

    def storing(org_id, rows) -> None:
        store(org_id, rows)
        stored.set()

    monkeypatch.setattr(module, "_store", storing)
    log = CallLog()
    log._thread = threading.Thread(target=log._run, daemon=True)
    log._thread.start()
    log.add(Call(org_id=two_orgs.alpha.pk, outcome="ok"))
    assert stored.wait(10)
    log.add(Call(org_id=two_orgs.alpha.pk, outcome="ok"))
    assert log.flush()
    with in_organisation(two_orgs.alpha.pk):
        assert Call.objects.count() == 2


AT_EXIT = """
import os, django
django.setup()
from django.db import connection
from pat_tokens.audit import calls
from pat_tokens.models import Call
calls.EVERY = 3600
calls.call_log.add(Call(org_id="{org}", tool="parent", outcome="ok"))
child = os.fork()
if not child:
    calls.call_log.add(Call(org_id="{org}", tool="child", outcome="ok"))
    raise SystemExit
os.waitpid(child, 0)
"""


@pytest.mark.django_db(transaction=True)
def test_each_process_stores_its_own_when_it_ends(two_orgs) -> None:
    """Also one that was forked from another, whose rows the other stores."""
    org, name = two_orgs.alpha, connection.settings_dict["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    environment = {**os.environ, "DATABASE_URL": url}
    program = AT_EXIT.format(org=org.pk)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env=environment)
    with in_organisation(org.pk):
        assert sorted(Call.objects.values_list("tool", flat=True)) == ["child", "parent"]


@pytest.fixture(autouse=True)
def _log_level(caplog) -> None:
    caplog.set_level(logging.WARNING, "pat_tokens")
