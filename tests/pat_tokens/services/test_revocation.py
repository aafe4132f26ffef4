import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection

from pat_tokens import secret as token_secret
from pat_tokens.audit.source import Source
from pat_tokens.resolver import RevokedToken, resolve_token
from pat_tokens.rls import in_organisation
from pat_tokens.services.adopt import adopt
from pat_tokens.services.issue import create_token, rotate_token
from pat_tokens.services.leak_reports import answer_report
from pat_tokens.services.revocation import revoke, revoke_every, revoke_leaked
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


@pytest.mark.parametrize("prefix", ["bcrm_pat_", "bcrm_ort_"])
def test_what_is_no_token_by_its_form_is_not_looked_for(
    db, django_assert_num_queries, prefix
) -> None:
    typed = token_secret.generate(prefix)[:-1] + "!"
    with django_assert_num_queries(0):
        assert report({"token": typed}) == (200, {"revoked": False})


def test_junk_keeps_nobody_from_a_report(alpha_user, issue) -> None:
    _, secret = issue(alpha_user)
    for _ in range(200):
        answer_report(b"{}", HERE)
    assert report({"token": secret}) == (200, {"revoked": True})


def created(owner: Any) -> str:
    return create_token(owner, name="Late", scopes=[], expires_at=None)[1]


def adopted(owner: Any) -> str:
    _, secret = issue_host_token(owner)
    adopt(owner.org_id)
    return secret


@pytest.mark.parametrize("made_by", [created, adopted])
@pytest.mark.parametrize("of_one_person", [True, False])
@pytest.mark.django_db(transaction=True)
def test_token_that_is_made_at_that_moment(alpha_user, alpha_admin, of_one_person, made_by) -> None:
    """Whoever takes all tokens away waits for one that is about to be there."""
    made, go, secrets = Event(), Event(), []

    def make() -> None:
        with closing(connection), in_organisation(alpha_user.org_id):
            secrets.append(made_by(alpha_user))
            made.set()
            go.wait(30)

    def take_away() -> None:
        with closing(connection):
            revoke_every(alpha_admin, alpha_user.pk if of_one_person else None)

    with ThreadPoolExecutor(2) as pool:
        making = pool.submit(make)
        assert made.wait(30)
        taking = pool.submit(take_away)
        with pytest.raises(TimeoutError):
            taking.result(0.5)
        go.set()
        making.result(30)
        taking.result(30)
    with pytest.raises(RevokedToken):
        resolve_token(secrets[0])
