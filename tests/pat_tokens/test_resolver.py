import logging
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from pat_tokens import secret as token_secret
from pat_tokens.models import Token
from pat_tokens.resolver import (
    ExpiredToken,
    InactiveOwner,
    RevokedToken,
    TokenRejected,
    UnknownToken,
    resolve_presented,
    resolve_token,
)

HOST_SECRET = "bcrm_pat_" + "aB3_-" * 8 + "xyz"


def test_token_of_its_secret(alpha_user, issue) -> None:
    token, secret = issue(alpha_user)
    assert resolve_token(secret) == token


def test_owner_comes_with_the_token(alpha_user, issue, django_assert_num_queries) -> None:
    _, secret = issue(alpha_user)
    token = resolve_token(secret)
    with django_assert_num_queries(0):
        assert token.profile == alpha_user
        assert token.user.is_active
        assert token.org.name == "Alpha"


@pytest.mark.django_db(transaction=True)
def test_in_autocommit(alpha_user, issue) -> None:
    token, secret = issue(alpha_user)
    assert resolve_token(secret) == token
    assert not Token.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction(alpha_user, issue) -> None:
    token, secret = issue(alpha_user)
    with transaction.atomic():
        assert resolve_token(secret) == token
        assert not Token.objects.exists()


def test_in_the_context_of_another_organisation(alpha_user, beta_user, issue, org_context) -> None:
    token, secret = issue(alpha_user)
    with org_context(beta_user.org):
        assert resolve_token(secret) == token


def test_unknown_token(db) -> None:
    with pytest.raises(UnknownToken):
        resolve_token(token_secret.generate())


def test_mistyped_token_makes_no_query(db, django_assert_num_queries) -> None:
    secret = token_secret.generate()
    mistyped = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    with django_assert_num_queries(0), pytest.raises(UnknownToken):
        resolve_token(mistyped)


def test_token_of_no_known_shape_makes_no_query(db, django_assert_num_queries) -> None:
    with django_assert_num_queries(0), pytest.raises(UnknownToken):
        resolve_token("bcrm_pat_short")


def test_host_shaped_token_is_looked_up(alpha_user, issue, org_context) -> None:
    token, _ = issue(alpha_user)
    with org_context(alpha_user.org):
        Token.objects.filter(pk=token.pk).update(digest=token_secret.digest(HOST_SECRET))
    assert resolve_token(HOST_SECRET) == token


def test_revoked_token(alpha_user, issue, org_context) -> None:
    token, secret = issue(alpha_user)
    with org_context(alpha_user.org):
        token.revoke()
    with pytest.raises(RevokedToken):
        resolve_token(secret)


def test_expired_token(alpha_user, issue) -> None:
    _, secret = issue(alpha_user, expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(ExpiredToken):
        resolve_token(secret)


@pytest.mark.parametrize("who", ["profile", "user", "org"])
def test_inactive_owner(alpha_user, issue, who) -> None:
    token, secret = issue(alpha_user)
    person = getattr(token, who)
    person.is_active = False
    person.save()
    with pytest.raises(InactiveOwner):
        resolve_token(secret)


def test_rejection_is_logged_without_the_secret(alpha_user, issue, org_context, caplog) -> None:
    token, secret = issue(alpha_user)
    with org_context(alpha_user.org):
        token.revoke()
    with caplog.at_level(logging.DEBUG), pytest.raises(TokenRejected) as rejection:
        resolve_token(secret)
    (record,) = [record for record in caplog.records if record.name == "pat_tokens"]
    assert (record.reason, record.token) == ("This token has been revoked.", token.prefix)
    told = f"{record.getMessage()} {vars(record)} {rejection.value}"
    assert secret not in told
    assert token.digest not in told


def test_presented_secret_that_is_unknown_is_logged_by_its_prefix(db, caplog) -> None:
    secret = token_secret.generate()
    with pytest.raises(UnknownToken):
        resolve_presented(secret)
    assert token_secret.display_prefix(secret) in caplog.text
    assert secret not in caplog.text
