from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from pat_tokens.models import Token
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import change_policy


@pytest.fixture
def aged(issue):
    """A token made 100 days ago that expires in so many days."""

    def make(owner, days, **fields) -> Token:
        now = timezone.now()
        token, _ = issue(owner, expires_at=now + timedelta(days=days), **fields)
        with in_organisation(token.org_id):
            Token.objects.filter(pk=token.pk).update(created_at=now - timedelta(days=100))
        return token

    return make


def run() -> list[str]:
    """The subjects of the mails that one run sends."""
    mail.outbox.clear()
    call_command("pat_expiry", verbosity=0)
    return [str(message.subject) for message in mail.outbox]


def test_runs_as_a_role_that_row_level_security_binds(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)


@pytest.mark.parametrize(
    ("days", "subjects"),
    [
        (8, []),
        (6.9, ["Your access token Laptop expires in a week"]),
        (0.9, ["Your access token Laptop expires in a day"]),
        (-1, []),
    ],
)
def test_notice(alpha_user, aged, days, subjects) -> None:
    aged(alpha_user, days)
    assert run() == subjects


def test_each_notice_is_given_once(alpha_user, aged) -> None:
    token = aged(alpha_user, 6)
    assert len(run()) == 1
    assert run() == []
    with in_organisation(token.org_id):
        Token.objects.update(expires_at=timezone.now() + timedelta(hours=20))
    assert run() == ["Your access token Laptop expires in a day"]
    assert run() == []


def test_all_organisations_are_walked(alpha_user, beta_user, aged) -> None:
    aged(alpha_user, 6)
    aged(beta_user, 6)
    run()
    assert {message.to[0] for message in mail.outbox} == {
        alpha_user.user.email,
        beta_user.user.email,
    }


def test_mail_names_the_token_and_no_secret(alpha_user, aged) -> None:
    token = aged(alpha_user, 6, name="Two\nlines")
    assert run() == ["Your access token Two lines expires in a week"]
    assert token.prefix in mail.outbox[0].body


def test_expiry_is_logged_once(alpha_user, aged, events) -> None:
    aged(alpha_user, -1)
    run()
    run()
    (event,) = events(alpha_user.org)
    assert (event.kind, event.detail) == ("expired", "Its lifetime is over.")


def test_expiry_by_policy(alpha_user, alpha_admin, aged) -> None:
    aged(alpha_user, 300)
    change_policy(alpha_admin, max_lifetime_days=106)
    assert run() == ["Your access token Laptop expires in a week"]


def test_short_lived_token_needs_no_warning(alpha_user, issue) -> None:
    issue(alpha_user, expires_at=timezone.now() + timedelta(hours=12))
    assert run() == []


@pytest.mark.parametrize("case", ["revoked", "never", "inactive owner"])
def test_no_notice(alpha_user, aged, case) -> None:
    token = aged(alpha_user, 6)
    with in_organisation(token.org_id):
        if case == "revoked":
            token.revoke()
        elif case == "never":
            Token.objects.update(expires_at=None)
        else:
            type(alpha_user).objects.filter(pk=alpha_user.pk).update(is_active=False)
    assert run() == []


def test_failed_mail_is_tried_again(alpha_user, beta_user, aged, monkeypatch) -> None:
    aged(alpha_user, 6)
    aged(beta_user, 6)

    def refuse_alpha(subject, body, sender, recipients):
        if recipients == [alpha_user.user.email]:
            raise ConnectionRefusedError
        return mail.send_mail(subject, body, sender, recipients)

    monkeypatch.setattr("pat_tokens.services.expiry.send_mail", refuse_alpha)
    with pytest.raises(CommandError, match="1 step failed"):
        call_command("pat_expiry", verbosity=0)
    monkeypatch.undo()
    run()
    assert [message.to for message in mail.outbox] == [[alpha_user.user.email]]
