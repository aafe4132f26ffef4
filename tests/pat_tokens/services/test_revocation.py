import json
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache

from pat_tokens import secret as token_secret
from pat_tokens.audit.source import Source
from pat_tokens.resolver import RevokedToken, resolve_token
from pat_tokens.services.issue import rotate_token
from pat_tokens.services.leak_reports import IN_ALL, PER_ADDRESS, answer_report
from pat_tokens.services.revocation import revoke, revoke_leaked
from tests.host_tokens.models import issue_host_token
from tests.pat_tokens.services.test_issue import end_overlap

HERE = Source("203.0.113.7", "curl/8")


@pytest.fixture(autouse=True)
def _no_reports_yet() -> None:
    cache.clear()


def report(body) -> tuple[int, dict[str, Any]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = answer_report(raw, HERE)
    return answer.status, answer.body


def test_revocation_is_logged_with_its_author(alpha_user, alpha_admin, issue, events) -> None:
    token, _ = issue(alpha_user)
    revoke(token, by=alpha_admin, detail="by an administrator")
    (event,) = events(alpha_user.org)
    assert (event.kind, event.actor) == ("revoked", alpha_admin.user.email)
    assert token.status_reason == f"Revoked by {alpha_admin.user.email}."


def test_second_revocation_changes_and_logs_nothing(
    alpha_user, alpha_admin, issue, stored, events
) -> None:
    token, _ = issue(alpha_user)
    revoke(token, by=alpha_user)
    first = stored(token)
    revoke(stored(token), by=alpha_admin)
    assert (stored(token).revoked_at, stored(token).revoked_by) == (
        first.revoked_at,
        alpha_user.user.email,
    )
    assert len(events(alpha_user.org)) == 1


def test_leaked_token(alpha_user, issue, events) -> None:
    token, secret = issue(alpha_user)
    assert report({"token": secret}) == (200, {"revoked": True})
    with pytest.raises(RevokedToken):
        resolve_token(secret)
    event = events(alpha_user.org, kind="revoked")[0]
    assert (event.actor, event.detail, event.address) == (
        "",
        "reported as leaked",
        "203.0.113.7",
    )
    (message,) = mail.outbox
    assert message.to == [alpha_user.user.email]
    assert token.prefix in message.body
    assert secret not in f"{message.body}{message.subject}"


def test_leaked_token_is_reported_twice(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    report({"token": secret})
    assert report({"token": secret}) == (200, {"revoked": False})
    assert len(mail.outbox) == 1


def test_leaked_old_secret_within_the_overlap(alpha_user, issue) -> None:
    token, old = issue(alpha_user)
    rotate_token(token)
    assert revoke_leaked(old)


def test_dead_old_secret_ends_nothing(alpha_user, issue) -> None:
    token, old = issue(alpha_user)
    new = rotate_token(token)
    end_overlap(token)
    assert not revoke_leaked(old)
    assert resolve_token(new) == token


def test_leaked_token_of_the_host(alpha_user, events) -> None:
    row, secret = issue_host_token(alpha_user)
    assert report({"token": secret}) == (200, {"revoked": True})
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert mail.outbox[0].to == [alpha_user.user.email]
    assert events(alpha_user.org)[0].token_id == row.pk


def test_unknown_token(db) -> None:
    assert report({"token": token_secret.generate()}) == (200, {"revoked": False})


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", [], {}, {"token": 7}, {"token": "secret"}])
def test_body_without_a_token(db, body, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        status, answer = report(body)
    assert status == 400
    assert "Send JSON" in answer["error"]


def test_mail_failure_does_not_undo_the_revocation(alpha_user, issue, monkeypatch) -> None:
    def fail(*args):
        raise ConnectionRefusedError

    monkeypatch.setattr("pat_tokens.services.revocation.send_mail", fail)
    _, secret = issue(alpha_user)
    assert revoke_leaked(secret)


def test_reports_from_one_address_are_throttled(db) -> None:
    for _ in range(PER_ADDRESS):
        assert report({})[0] == 400
    answer = answer_report(b"{}", HERE)
    assert (answer.status, answer.headers) == (429, {"Retry-After": "60"})
    assert answer_report(b"{}", Source("203.0.113.8")).status == 400


def test_reports_from_everywhere_are_throttled(db) -> None:
    for number in range(IN_ALL):
        answer_report(b"{}", Source(f"198.51.{number}.1"))
    assert answer_report(b"{}", Source("203.0.113.8")).status == 429
