from datetime import timedelta

import pytest
from django.utils import timezone

from pat_tokens.audit.usage import record_use
from pat_tokens.models import Token
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
