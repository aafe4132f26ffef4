from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from pat_tokens import secret as token_secret
from pat_tokens.models import Token


def test_create_returns_the_secret_once(alpha_user, issue, stored) -> None:
    token, secret = issue(alpha_user, scopes=["leads:read"])
    assert stored(token).digest == token_secret.digest(secret)
    assert stored(token).prefix == secret[:13]
    assert stored(token).scopes == ["leads:read"]


def test_secret_is_nowhere_in_the_row(alpha_user, issue, org_context) -> None:
    token, secret = issue(alpha_user)
    with org_context(alpha_user.org), connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM pat_tokens_token t WHERE id = %s", [token.pk])
        row = cursor.fetchone()
    assert secret not in row[0]


def test_organisation_is_the_owners(alpha_user, issue) -> None:
    token, _ = issue(alpha_user)
    assert token.org_id == alpha_user.org_id


def test_identity(alpha_user, issue) -> None:
    token, _ = issue(alpha_user)
    assert (token.profile, token.user, token.org) == (alpha_user, alpha_user.user, alpha_user.org)


def test_repr_and_str_tell_no_secret(alpha_user, issue) -> None:
    token, secret = issue(alpha_user)
    shown = f"{token!r} {token}"
    assert secret not in shown
    assert token.digest not in shown


def test_status() -> None:
    now = timezone.now()
    assert Token().status == "active"
    assert Token(expires_at=now + timedelta(minutes=1)).status == "active"
    assert Token(expires_at=now).status == "expired"
    assert Token(expires_at=now, revoked_at=now).status == "revoked"


def test_revoke(alpha_user, issue, stored, org_context) -> None:
    token, _ = issue(alpha_user)
    with org_context(alpha_user.org):
        token.revoke()
    assert token.status == stored(token).status == "revoked"


def test_revoking_again_keeps_the_first_date(alpha_user, issue, stored, org_context) -> None:
    token, _ = issue(alpha_user)
    stale = stored(token)
    with org_context(alpha_user.org):
        token.revoke()
        first = token.revoked_at
        stale.revoke()
    assert stale.revoked_at == first == stored(token).revoked_at


def test_revoking_a_row_out_of_sight_is_an_error(alpha_user, issue) -> None:
    token, _ = issue(alpha_user)
    with pytest.raises(Token.DoesNotExist):
        token.revoke()


def test_tokens_go_with_their_owner(alpha_user, issue, org_context) -> None:
    issue(alpha_user)
    with org_context(alpha_user.org):
        alpha_user.delete()
        assert not Token.objects.exists()
