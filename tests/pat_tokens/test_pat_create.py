"""The command that makes a person's first token."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from demo_crm.models import Org
from pat_tokens.models import Event
from pat_tokens.resolver import resolve_token
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import change_policy
from tests.conftest import make_profile


def make(email, org, *more):
    out, err = StringIO(), StringIO()
    call_command("pat_create", "--as", email, "--org", org, *more, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def test_printed_once_warned_of_and_logged(alpha_user, events) -> None:
    secret, told = make(alpha_user.user.email.upper(), "Alpha")
    token = resolve_token(secret)
    assert (token.owner, token.scopes) == (alpha_user, ["*:read", "*:write"])
    assert token.expires_at - timezone.now() > timedelta(days=89)
    assert secret not in told
    assert "only time that the token is shown" in told
    assert f"can do in Alpha what {alpha_user.user.email.upper()} may do" in told
    (event,) = events(alpha_user.org, kind=Event.Kind.CREATED)
    assert event.detail == "with pat_create, on the server"
    assert event.token_id == token.pk


def test_less_than_everything(alpha_user) -> None:
    org = str(alpha_user.org.pk)
    secret, told = make(alpha_user.user.email, org, "--read-only", "--days", "1")
    assert f"can look up in Alpha what {alpha_user.user.email} may look up" in told
    token = resolve_token(secret)
    assert token.scopes == ["*:read"]
    assert token.expires_at - timezone.now() < timedelta(days=2)


def test_who_is_no_member(alpha_user, beta_user) -> None:
    with pytest.raises(CommandError, match="is an active member of an active organisation 'Beta'"):
        make(alpha_user.user.email, "Beta")
    alpha_user.is_active = False
    alpha_user.save()
    with pytest.raises(CommandError, match="No alpha"):
        make(alpha_user.user.email, "Alpha")


def test_organisations_of_one_name(alpha_user) -> None:
    other = make_profile(Org.objects.create(name="alpha twin"), "USER")
    Org.objects.filter(pk=other.org.pk).update(name="Alpha")
    type(other).objects.filter(pk=other.pk).update(user=alpha_user.user)
    with pytest.raises(CommandError, match=str(other.org.pk)):
        make(alpha_user.user.email, "Alpha")
    secret, _ = make(alpha_user.user.email, str(other.org.pk))
    assert resolve_token(secret).owner_id == other.pk


def test_longer_than_the_policy_allows(alpha_user, alpha_admin) -> None:
    with in_organisation(alpha_user.org_id):
        change_policy(alpha_admin, max_lifetime_days=30)
    with pytest.raises(CommandError, match="from 1 to 30"):
        make(alpha_user.user.email, "Alpha", "--days", "31")
    secret, _ = make(alpha_user.user.email, "Alpha")
    assert resolve_token(secret).expires_at - timezone.now() < timedelta(days=31)
