import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pat_tokens.audit.source import Source, coming_from
from pat_tokens.audit.usage import record_refusal, record_use
from pat_tokens.models import Event, Token
from pat_tokens.request_cache import request_cache
from pat_tokens.rls import presenting


def test_record_use_needs_no_organisation(alpha_user, issue, stored) -> None:
    token, _ = issue(alpha_user)
    record_use(token)
    assert token.last_used_at is not None
    assert stored(token).last_used_at == token.last_used_at


@pytest.mark.parametrize(("seconds", "written"), [(59, False), (61, True)])
def test_use_is_recorded_once_a_minute(alpha_user, issue, stored, seconds, written) -> None:
    token, _ = issue(alpha_user)
    before = timezone.now() - timedelta(seconds=seconds)
    use(token, before)
    token.last_used_at = before
    record_use(token)
    assert (stored(token).last_used_at != before) == written


def test_recent_use_costs_no_query(alpha_user, issue, django_assert_num_queries) -> None:
    token, _ = issue(alpha_user)
    record_use(token)
    with django_assert_num_queries(0):
        record_use(token)


def test_use_recorded_by_another_process_is_kept(alpha_user, issue, stored) -> None:
    token, _ = issue(alpha_user)
    stale = stored(token)
    record_use(token)
    record_use(stale)
    assert stored(token).last_used_at == token.last_used_at


def test_record_use_does_not_undo_a_concurrent_revoke(
    alpha_user, issue, stored, org_context
) -> None:
    token, _ = issue(alpha_user)
    stale = stored(token)
    with org_context(alpha_user.org):
        token.revoke()
    record_use(stale)
    assert stored(token).status == "revoked"


def use(token: Token, moment) -> None:
    with presenting(token.digest):
        Token.objects.filter(pk=token.pk).update(last_used_at=moment)


HOME, ELSEWHERE = Source("203.0.113.7", "Claude"), Source("198.51.100.9", "curl")


def test_new_address_right_after_a_use_from_another(alpha_user, issue, stored, events) -> None:
    token, _ = issue(alpha_user)
    for source in (HOME, ELSEWHERE, HOME, ELSEWHERE):
        with coming_from(source):
            record_use(stored(token))
    logged = events(alpha_user.org, kind=Event.Kind.NEW_ADDRESS)
    assert [each.address for each in logged] == [HOME.address, ELSEWHERE.address]
    assert stored(token).last_used_address == ELSEWHERE.address


def test_recent_use_from_another_known_address_writes_nothing(alpha_user, issue, stored) -> None:
    token, _ = issue(alpha_user)
    for source in (HOME, ELSEWHERE):
        with coming_from(source):
            record_use(stored(token))
    used = stored(token)
    with coming_from(HOME), CaptureQueriesContext(connection) as captured:
        record_use(used)
    assert not any(each["sql"].startswith(("UPDATE", "INSERT")) for each in captured)


def test_one_call_looks_once_for_an_address_that_another_used_since(
    alpha_user, issue, stored, django_assert_num_queries
) -> None:
    token, _ = issue(alpha_user)
    for source in (HOME, ELSEWHERE):
        with coming_from(source):
            record_use(stored(token))
    with request_cache(), coming_from(HOME):
        record_use(stored(token))
        again = stored(token)
        with django_assert_num_queries(0):
            record_use(again)


@pytest.mark.django_db(transaction=True)
def test_first_uses_at_once_are_one_event(alpha_user, issue, stored, events) -> None:
    token, _ = issue(alpha_user)
    together = threading.Barrier(6)

    def use_it(_: int) -> None:
        try:
            mine = stored(token)
            together.wait(20)
            with coming_from(HOME):
                record_use(mine)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(use_it, range(6)))
    assert len(events(alpha_user.org, kind=Event.Kind.NEW_ADDRESS)) == 1


def test_busy_token_from_a_new_address(alpha_user, issue, stored, events, monkeypatch) -> None:
    """Neither much else nor many addresses make one pass for known that has no entry."""
    monkeypatch.setattr("pat_tokens.audit.events.ENTRIES_PER_MINUTE", 3)
    token, _ = issue(alpha_user)
    for number in range(5):
        record_refusal(stored(token), f"reason {number}")
    for number in range(5):
        with coming_from(Source(f"203.0.113.{number}", "x")):
            record_use(stored(token))
    known = [each.address for each in events(alpha_user.org, kind=Event.Kind.NEW_ADDRESS)]
    assert known == [f"203.0.113.{number}" for number in range(3)]
    assert stored(token).last_used_address in known
    monkeypatch.setattr("pat_tokens.audit.events.ENTRIES_PER_MINUTE", 30)
    with coming_from(Source("203.0.113.4", "x")):
        record_use(stored(token))
    known = [each.address for each in events(alpha_user.org, kind=Event.Kind.NEW_ADDRESS)]
    assert known[-1] == "203.0.113.4"
