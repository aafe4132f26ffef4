from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone
from rest_framework.exceptions import Throttled

from pat_tokens import secret as token_secret
from pat_tokens.models import Token
from pat_tokens.resolver import RotatedToken, TokenRejected, UnknownToken, resolve_token
from pat_tokens.rls import in_organisation
from pat_tokens.services import issue as issuing
from pat_tokens.services.issue import NotRotatable, TooManyTokens, create_token, rotate_token
from pat_tokens.services.policy import change_policy
from tests.host_tokens.models import issue_host_token


def create(owner, **fields):
    return create_token(owner, **{"name": "Laptop", "scopes": [], "expires_at": None, **fields})


def end_overlap(token) -> None:
    with in_organisation(token.org_id):
        Token.objects.filter(pk=token.pk).update(previous_expires_at=timezone.now())


def test_creation_is_logged(alpha_user, events) -> None:
    token, secret = create(alpha_user)
    (event,) = events(alpha_user.org)
    assert (event.kind, event.token_id, event.actor) == (
        "created",
        token.pk,
        alpha_user.user.email,
    )
    assert secret not in str(vars(event))


def test_creation_is_throttled_for_each_person(alpha_user, alpha_admin, monkeypatch) -> None:
    monkeypatch.setattr(issuing, "PER_HOUR", 2)
    token, _ = create(alpha_user)
    rotate_token(token)
    with pytest.raises(Throttled):
        create(alpha_user)
    with pytest.raises(Throttled):
        rotate_token(token)
    create(alpha_admin)


def test_both_secrets_work_during_the_overlap(alpha_user, stored) -> None:
    token, old = create(alpha_user)
    new = rotate_token(token)
    assert resolve_token(old) == resolve_token(new) == token
    assert stored(token).digest == token_secret.digest(new)
    left = stored(token).previous_expires_at - timezone.now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)


def test_old_secret_ends_with_the_overlap(alpha_user) -> None:
    token, old = create(alpha_user)
    new = rotate_token(token)
    end_overlap(token)
    with pytest.raises(RotatedToken):
        resolve_token(old)
    assert resolve_token(new) == token


def test_rotation_without_overlap(alpha_user) -> None:
    token, old = create(alpha_user)
    rotate_token(token, overlap=timedelta(0))
    with pytest.raises(RotatedToken):
        resolve_token(old)


def test_second_rotation_ends_the_first_secret(alpha_user) -> None:
    token, first = create(alpha_user)
    second = rotate_token(token)
    third = rotate_token(token)
    with pytest.raises(UnknownToken):
        resolve_token(first)
    assert resolve_token(second) == resolve_token(third) == token


def test_overlap_gives_the_old_secret_no_longer_life(alpha_user, stored) -> None:
    end = timezone.now() + timedelta(hours=2)
    token, _ = create(alpha_user, expires_at=end)
    rotate_token(token)
    assert stored(token).previous_expires_at == end


def test_rotation_starts_the_lifetime_anew(alpha_user, stored) -> None:
    token, _ = create(alpha_user, expires_at=timezone.now() + timedelta(days=10))
    with in_organisation(token.org_id):
        Token.objects.filter(pk=token.pk).update(
            created_at=timezone.now() - timedelta(days=20), expiry_notice=7
        )
    rotate_token(token)
    left = stored(token).expires_at - timezone.now()
    assert timedelta(days=29) < left <= timedelta(days=30)
    assert stored(token).expiry_notice is None


def test_rotation_is_logged_without_the_secrets(alpha_user, events) -> None:
    token, old = create(alpha_user)
    new = rotate_token(token)
    _, event = events(alpha_user.org)
    assert event.kind == "rotated"
    assert "the old secret works until" in event.detail
    assert not {old, new} & set(map(str, vars(event).values()))


@pytest.mark.parametrize("state", ["revoked", "expired"])
def test_dead_token_cannot_be_rotated(alpha_user, state) -> None:
    token, secret = create(alpha_user)
    with in_organisation(token.org_id):
        if state == "revoked":
            token.revoke()
        else:
            Token.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    with pytest.raises(NotRotatable):
        rotate_token(token)
    with pytest.raises(TokenRejected):
        resolve_token(secret)


def test_revocation_ends_both_secrets(alpha_user) -> None:
    token, old = create(alpha_user)
    new = rotate_token(token)
    with in_organisation(token.org_id):
        token.revoke()
    for secret in (old, new):
        with pytest.raises(Exception, match="has been revoked"):
            resolve_token(secret)


@pytest.fixture
def _two_at_most(settings):
    settings.PAT_TOKENS_MAX_LIVE = 2


@pytest.mark.usefixtures("_two_at_most")
def test_live_tokens_of_a_person_are_capped(alpha_user, alpha_admin) -> None:
    first, _ = create(alpha_user)
    create(alpha_user)
    with pytest.raises(TooManyTokens, match="2 live tokens at most"):
        create(alpha_user)
    create(alpha_admin)
    rotate_token(first)
    with in_organisation(alpha_user.org_id):
        first.revoke()
    create(alpha_user)


@pytest.mark.usefixtures("_two_at_most")
def test_only_live_ones_count(alpha_user, alpha_admin, issue) -> None:
    issue(alpha_user, expires_at=timezone.now())
    revoked, _ = issue(alpha_user)
    old, _ = issue(alpha_user)
    with in_organisation(alpha_user.org_id):
        revoked.revoke()
        Token.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    change_policy(alpha_admin, max_lifetime_days=30)
    end = timezone.now() + timedelta(days=1)
    create(alpha_user, expires_at=end)
    create(alpha_user, expires_at=end)
    with pytest.raises(TooManyTokens):
        create(alpha_user, expires_at=end)


@pytest.mark.usefixtures("_two_at_most")
def test_tokens_of_the_host_count(alpha_user) -> None:
    issue_host_token(alpha_user)
    issue_host_token(alpha_user, revoked_at=timezone.now())
    create(alpha_user)
    with pytest.raises(TooManyTokens):
        create(alpha_user)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_two_at_most")
def test_cap_holds_for_requests_at_once(alpha_user) -> None:
    together = Barrier(6)

    def attempt(_) -> bool:
        together.wait(10)
        try:
            create(alpha_user)
        except TooManyTokens:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as threads:
        made = sum(threads.map(attempt, range(6)))
    with in_organisation(alpha_user.org_id):
        assert (made, Token.objects.count()) == (2, 2)


@pytest.mark.parametrize("value", [0, -1, None, "100", True])
def test_bad_cap(alpha_user, settings, value) -> None:
    settings.PAT_TOKENS_MAX_LIVE = value
    with pytest.raises(ImproperlyConfigured, match="PAT_TOKENS_MAX_LIVE must be an integer"):
        create(alpha_user)
