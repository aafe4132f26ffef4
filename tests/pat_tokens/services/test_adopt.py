from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from pat_tokens.models import Token
from pat_tokens.resolver import ExpiredToken, RevokedToken, UnknownToken, resolve_token
from pat_tokens.rls import in_organisation
from pat_tokens.services.issue import rotate_token
from pat_tokens.services.revocation import revoke
from tests.host_tokens.models import issue_host_token


def run(*arguments) -> str:
    out = StringIO()
    call_command("pat_adopt", *arguments, stdout=out)
    return out.getvalue()


def test_nothing_happens_without_apply(alpha_user) -> None:
    row, secret = issue_host_token(alpha_user)
    told = run()
    assert f"{row.token_prefix}… Older ({alpha_user.user.email})" in told
    assert secret not in told
    row.refresh_from_db()
    assert row.revoked_at is None
    with pytest.raises(UnknownToken):
        resolve_token(secret)


def test_secret_goes_on_working_here_and_ends_there(alpha_user) -> None:
    expires = timezone.now() + timedelta(days=3)
    row, secret = issue_host_token(alpha_user, scopes=["leads:read"], expires_at=expires)
    assert "1 tokens adopted" in run("--apply")
    token = resolve_token(secret)
    assert (token.owner, token.name, token.scopes) == (alpha_user, "Older", ["leads:read"])
    assert (token.expires_at, token.created_at) == (expires, row.created_at)
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_revoked_here_is_revoked_there(alpha_user) -> None:
    row, secret = issue_host_token(alpha_user)
    run("--apply")
    revoke(resolve_token(secret), by=alpha_user)
    with pytest.raises(RevokedToken):
        resolve_token(secret)
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_adopted_token_is_listed_once(alpha_admin, api) -> None:
    row, secret = issue_host_token(alpha_admin)
    run("--apply")
    client = api(alpha_admin)
    for path in ("/api/profile/tokens/", "/api/org/tokens/"):
        (shown,) = client.get(path).json()["tokens"]
        assert (shown["id"], "of_host" in shown) == (str(row.pk), False)
    rotate_token(resolve_token(secret))
    assert len(client.get("/api/org/tokens/").json()["tokens"]) == 1


def test_adoption_is_logged(alpha_user, events) -> None:
    issue_host_token(alpha_user)
    run("--apply")
    assert [event.kind for event in events(alpha_user.org)] == ["adopted"]


def test_running_again_does_nothing(alpha_user) -> None:
    issue_host_token(alpha_user)
    run("--apply")
    assert "0 tokens adopted" in run("--apply")


def test_all_organisations_or_one(alpha_user, beta_user) -> None:
    _, ours = issue_host_token(alpha_user)
    _, theirs = issue_host_token(beta_user)
    run("--apply", "--org", str(alpha_user.org_id))
    assert resolve_token(ours).org_id == alpha_user.org_id
    with pytest.raises(UnknownToken):
        resolve_token(theirs)
    run("--apply")
    assert resolve_token(theirs).org_id == beta_user.org_id


def test_revoked_rows_stay_where_they_are(alpha_user) -> None:
    issue_host_token(alpha_user, revoked_at=timezone.now())
    assert "0 tokens adopted" in run("--apply")


def test_expired_rows_stay_expired(alpha_user) -> None:
    _, secret = issue_host_token(alpha_user, expires_at=timezone.now())
    run("--apply")
    with pytest.raises(ExpiredToken):
        resolve_token(secret)


def test_failure_changes_neither_side(alpha_user, monkeypatch) -> None:
    row, _ = issue_host_token(alpha_user)

    def fail(host_tokens):
        raise RuntimeError

    monkeypatch.setattr("pat_tokens.services.adopt.HostTokens.revoke", fail)
    with pytest.raises(RuntimeError):
        run("--apply")
    with in_organisation(alpha_user.org_id):
        assert not Token.objects.exists()
    row.refresh_from_db()
    assert row.revoked_at is None


def test_host_without_such_a_table(db) -> None:
    with (
        override_settings(PAT_TOKENS_HOST_MODEL="common.PersonalAccessToken"),
        pytest.raises(CommandError, match="There is no model common"),
    ):
        run()


def test_unknown_organisation(db) -> None:
    with pytest.raises(CommandError, match="There is no organisation"):
        run("--org", "0b0a0c9e-0000-4000-8000-000000000000")
