"""The pruning of the event log, as the role that row-level security binds."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from pat_tokens.models import Call, CallRecord, Event, RefusalCount
from pat_tokens.rls import in_organisation, pruning
from pat_tokens.services import retention


@pytest.fixture
def aged(db):
    """Entries of these ages in days."""

    def make(org, *days) -> None:
        now = timezone.now()
        rows = [
            Event(org_id=org.pk, kind="write", created_at=now - timedelta(days=each))
            for each in days
        ]
        with in_organisation(org.pk):
            Event.objects.bulk_create(rows)

    return make


def ages(org) -> list[int]:
    with in_organisation(org.pk):
        entries = Event.objects.exclude(kind="pruned")
        return sorted((timezone.now() - each.created_at).days for each in entries)


def run() -> str:
    out = StringIO()
    call_command("pat_prune", stdout=out)
    return out.getvalue()


def test_runs_as_a_role_that_row_level_security_binds(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)


def test_old_entries_of_all_organisations(two_orgs, aged) -> None:
    for org in (two_orgs.alpha, two_orgs.beta):
        aged(org, 1, 364, 366, 1000)
    assert run() == "4 entries and 0 calls removed.\n"
    assert ages(two_orgs.alpha) == ages(two_orgs.beta) == [1, 364]


def test_it_is_logged(two_orgs, aged, events) -> None:
    aged(two_orgs.alpha, 1, 366, 400)
    run()
    (entry,) = events(two_orgs.alpha, kind="pruned")
    assert entry.detail.startswith("2 entries from before ")
    assert events(two_orgs.beta) == []


def test_second_run_finds_nothing(two_orgs, aged, events) -> None:
    aged(two_orgs.alpha, 366)
    run()
    assert run() == "0 entries and 0 calls removed.\n"
    assert len(events(two_orgs.alpha)) == 1


def test_batches(two_orgs, aged, monkeypatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    aged(two_orgs.alpha, 1, *range(366, 371))
    assert run() == "5 entries and 0 calls removed.\n"
    assert ages(two_orgs.alpha) == [1]


def test_numbers_go_with_their_entries(two_orgs, aged) -> None:
    aged(two_orgs.alpha, 1, 366)
    with in_organisation(two_orgs.alpha.pk):
        for entry in Event.objects.all():
            RefusalCount.objects.create(event_id=entry.pk, org_id=entry.org_id, times=5)
    run()
    with in_organisation(two_orgs.alpha.pk):
        (entry,) = Event.objects.exclude(kind="pruned")
        assert RefusalCount.objects.get().event_id == entry.pk


def test_setting(two_orgs, aged, settings) -> None:
    settings.PAT_TOKENS_EVENT_RETENTION_DAYS = 30
    aged(two_orgs.alpha, 29, 31)
    run()
    assert ages(two_orgs.alpha) == [29]


@pytest.mark.parametrize("value", [29, 0, -1, None, "365", True, 10**9])
def test_bad_setting(two_orgs, aged, settings, value) -> None:
    settings.PAT_TOKENS_EVENT_RETENTION_DAYS = value
    aged(two_orgs.alpha, 29, 1000)
    with pytest.raises(ImproperlyConfigured, match="from 30 to 36500"):
        run()
    assert ages(two_orgs.alpha) == [29, 1000]


def test_one_organisation_keeps_no_other_from_it(two_orgs, aged, monkeypatch) -> None:
    aged(two_orgs.alpha, 366)
    aged(two_orgs.beta, 366)
    prune = retention.prune

    def fail(org_id, before) -> int:
        if org_id == two_orgs.alpha.pk:
            raise ConnectionError
        return prune(org_id, before)

    monkeypatch.setattr("pat_tokens.management.commands.pat_prune.prune", fail)
    with pytest.raises(CommandError, match="1 organisations failed"):
        run()
    assert (ages(two_orgs.alpha), ages(two_orgs.beta)) == ([366], [])


def test_no_entry_of_the_last_30_days_can_be_removed(two_orgs, aged) -> None:
    """Whatever the application asks for: the policy of the table refuses it."""
    aged(two_orgs.alpha, 1, 29, 31)
    with in_organisation(two_orgs.alpha.pk), pruning(timezone.now() + timedelta(days=1)):
        Event.objects.all().delete()
    assert ages(two_orgs.alpha) == [1, 29]


def test_nothing_can_be_removed_outside_pruning(two_orgs, aged) -> None:
    aged(two_orgs.alpha, 1000)
    with in_organisation(two_orgs.alpha.pk):
        with pruning(timezone.now()):
            pass
        Event.objects.all().delete()
    assert ages(two_orgs.alpha) == [1000]


def test_another_organisations_entries_stay(two_orgs, aged) -> None:
    aged(two_orgs.beta, 1000)
    with in_organisation(two_orgs.alpha.pk), pruning(timezone.now()):
        Event.objects.all().delete()
    assert retention.prune(two_orgs.alpha.pk, timezone.now()) == 0
    assert ages(two_orgs.beta) == [1000]


def test_numbers_of_another_organisation_are_out_of_sight(two_orgs) -> None:
    with in_organisation(two_orgs.beta.pk):
        RefusalCount.objects.create(event_id=two_orgs.beta.pk, org_id=two_orgs.beta.pk, times=5)
    assert not RefusalCount.objects.exists()
    with in_organisation(two_orgs.alpha.pk):
        assert RefusalCount.objects.update(times=0) == 0


def test_old_calls_of_all_organisations(two_orgs, calls, monkeypatch) -> None:
    """Reads after 90 days, what may write after 400, and the records of each with it."""
    monkeypatch.setattr(retention, "BATCH", 2)
    now = timezone.now()
    for org in (two_orgs.alpha, two_orgs.beta):
        rows = [
            Call(org_id=org.pk, outcome="ok", writes=writes, created_at=now - timedelta(days=age))
            for writes in (False, True)
            for age in (1, 89, 91, 399, 401)
        ]
        with in_organisation(org.pk):
            Call.objects.bulk_create(rows)
            CallRecord.objects.bulk_create(
                CallRecord(call_id=row.pk, created_at=now, org_id=org.pk, record_id="a")
                for row in rows
            )
    assert run() == "0 entries and 8 calls removed.\n"
    for org in (two_orgs.alpha, two_orgs.beta):
        left = calls(org)
        ages = [(call.writes, (now - call.created_at).days) for call in left]
        assert sorted(age for writes, age in ages if not writes) == [1, 89]
        assert sorted(age for writes, age in ages if writes) == [1, 89, 91, 399]
        with in_organisation(org.pk):
            records = CallRecord.objects.values_list("call_id", flat=True)
            assert set(records) == {call.pk for call in left}
            assert Event.objects.get(kind="pruned").detail.startswith("4 calls from before ")
    assert run() == "0 entries and 0 calls removed.\n"


@pytest.mark.parametrize("kind", ["READ", "WRITE"])
def test_bad_setting_of_calls(db, settings, kind) -> None:
    name = f"PAT_TOKENS_{kind}_RETENTION_DAYS"
    setattr(settings, name, 29)
    with pytest.raises(ImproperlyConfigured, match=f"{name} must be an integer from 30"):
        run()
