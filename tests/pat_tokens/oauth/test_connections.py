"""Connections beside tokens: lists, limits, notices, REST, and what ends them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from pat_tokens.audit.source import Source
from pat_tokens.models import (
    AuthorizationCode,
    AuthorizationRequest,
    Connection,
    Event,
    RefreshToken,
    Token,
)
from pat_tokens.oauth.grants import NotGranted, find_refresh_token, refresh
from pat_tokens.resolver import find_token
from pat_tokens.rls import in_organisation
from pat_tokens.services.issue import PER_HOUR, create_token
from pat_tokens.services.leak_reports import answer_report
from pat_tokens.services.org_tokens import org_page, totals
from pat_tokens.services.own_tokens import own_page
from pat_tokens.services.policy import change_policy
from tests.bottlecrm_mcp.hosted.oauth.flow import browser_of

OWN = "/api/profile/tokens/connections/"
ORG = "/api/org/tokens/connections/"


def events_of(owner, **filters):
    with in_organisation(owner.org_id):
        return list(Event.objects.filter(**filters))


def test_access_tokens_are_none_of_the_lists(connect, alpha_user, alpha_admin, api) -> None:
    grant = connect(alpha_user)
    for _ in range(3):
        grant = refresh(find_refresh_token(grant.refresh_token))
    assert own_page(alpha_user).lines == []
    assert org_page(alpha_user.org_id).lines == []
    counts = totals(alpha_user.org_id)
    assert (counts["count"], counts["live"], counts["connections"]) == (0, 0, 1)
    assert api(alpha_user).get("/api/profile/tokens/").json()["tokens"] == []
    token = find_token(grant.access_token)
    path = f"/api/profile/tokens/{token.pk}/"
    assert api(alpha_user).get(path).status_code == 404
    assert api(alpha_user).post(f"{path}rotate/").status_code == 404


def test_connections_do_not_count_as_made_tokens(connect, alpha_user) -> None:
    for _ in range(PER_HOUR + 1):
        connect(alpha_user)
    create_token(alpha_user, name="Laptop", scopes=[], expires_at=None)


def test_access_token_ends_with_the_connection(connect, alpha_user, later) -> None:
    grant = connect(alpha_user, days=1)
    later(alpha_user, expires_at=timezone.now() + timedelta(minutes=10))
    again = refresh(find_refresh_token(grant.refresh_token))
    assert again.expires_in <= 600
    later(alpha_user, expires_at=timezone.now())
    with pytest.raises(NotGranted, match="Its time is over"):
        refresh(find_refresh_token(again.refresh_token))


def test_shorter_policy_reaches_old_connections(
    connect, alpha_user, alpha_admin, connection_of, later
) -> None:
    grant = connect(alpha_user)
    later(alpha_user, created_at=timezone.now() - timedelta(days=20))
    assert connection_of(alpha_user).status == "active"
    change_policy(alpha_admin, max_lifetime_days=10)
    assert connection_of(alpha_user).status == "expired"
    assert find_token(grant.access_token).status == "expired"


def test_rest_of_a_person(connect, api, alpha_user, alpha_admin, connection_of) -> None:
    connect(alpha_user)
    [row] = api(alpha_user).get(OWN).json()["connections"]
    assert (row["client_name"], row["client_host"], row["status"]) == (
        "Claude",
        "claude.ai",
        "active",
    )
    assert row["access"] == "Read only"
    assert api(alpha_admin).get(OWN).json()["connections"] == []
    assert api(alpha_admin).delete(f"{OWN}{row['id']}/").status_code == 404
    assert api(alpha_user).delete(f"{OWN}{row['id']}/").status_code == 200
    assert connection_of(alpha_user).status_reason == f"Ended by {alpha_user.user.email}."


def test_rest_of_an_administrator(connect, api, alpha_user, alpha_admin, beta_admin) -> None:
    connect(alpha_user)
    assert api(alpha_user).get(ORG).status_code == 403
    assert api(beta_admin).get(ORG).json()["connections"] == []
    [row] = api(alpha_admin).get(ORG).json()["connections"]
    assert row["owner"]["name"] == "Alpha User"
    assert api(beta_admin).delete(f"{ORG}{row['id']}/").status_code == 404
    assert api(alpha_admin).delete(f"{ORG}{row['id']}/").status_code == 200
    [event] = events_of(alpha_user, kind="disconnected")
    assert event.detail == "by an administrator"


def test_no_token_manages_connections(connect, token_api, alpha_admin) -> None:
    connect(alpha_admin)
    for path in (OWN, ORG, f"{OWN.replace('connections', 'authorizations')}{alpha_admin.pk}/"):
        assert token_api(alpha_admin).get(path).status_code == 403


def test_decision_over_rest(ask, api, alpha_user, connection_of) -> None:
    """For a consent page of the host's own front end."""
    path = f"/api/profile/tokens/authorizations/{ask().pk}/"
    person = api(alpha_user)
    shown = person.get(path).json()
    assert (shown["client_name"], shown["client_host"]) == ("Claude", "claude.ai")
    assert (shown["default_access"], shown["denial"]) == ("read_only", None)
    assert (shown["person"], shown["organisation"]) == ("Alpha User", "Alpha")
    assert values(shown["access"]) == ["read_only", "read_write", "entities"]
    assert values(shown["entity_access"]) == ["none", "read", "write"]
    assert (values(shown["days"]), shown["default_days"]) == ([1, 30, 90, 365], 90)
    owner = {"owner": shown["owner"], "days": 1}
    for body in ({}, {"days": 1}, owner, {**owner, "decision": "allow", "access": "all"}):
        assert person.post(path, body, format="json").status_code == 400
    for missing in owner:
        body = {"decision": "allow", **owner}
        del body[missing]
        assert missing in person.post(path, body, format="json").json()["errors"]
    chosen = {
        **owner,
        "decision": "allow",
        "access": "entities",
        "entities": {"leads": "read"},
        "days": 30,
    }
    answer = person.post(path, chosen, format="json")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["redirect_to"].startswith("https://claude.ai/callback?code=bcrm_oac_")
    assert answer["Cache-Control"] == "no-store"
    assert "leads:read" in connection_of(alpha_user).scopes
    assert person.get(path).status_code == person.post(path, chosen, format="json").status_code
    assert person.get(path).status_code == 410


def values(choices: list[Any]) -> list[Any]:
    return [each["value"] for each in choices]


def test_decision_of_another_organisation_is_refused(ask, api, alpha_user, beta_user) -> None:
    """The page was made for one; another tab has switched the front end meanwhile."""
    path = f"/api/profile/tokens/authorizations/{ask().pk}/"
    shown = api(alpha_user).get(path).json()
    chosen = {"decision": "allow", "days": 1, "owner": shown["owner"]}
    answer = api(beta_user).post(path, chosen, format="json")
    assert answer.status_code == 409
    assert "somebody else now" in answer.json()["detail"]
    for owner in (alpha_user, beta_user):
        with in_organisation(owner.org_id):
            assert not Connection.objects.exists()
    assert api(alpha_user).post(path, chosen, format="json").status_code == 200


def test_decision_takes_no_cookies(ask, alpha_user) -> None:
    """What a browser sends by itself decides nothing, so that no other site can have it sent."""
    path = f"/api/profile/tokens/authorizations/{ask().pk}/"
    client = browser_of(alpha_user)
    assert client.get("/settings/api-tokens/").status_code == 200
    for answer in (client.get(path), client.post(path, {"decision": "deny"}, "application/json")):
        assert answer.status_code in (401, 403)
    assert AuthorizationRequest.objects.exists()


def test_what_may_not_write_is_not_offered(ask, api, alpha_user, alpha_admin) -> None:
    reading = api(alpha_user).get(
        f"/api/profile/tokens/authorizations/{ask(scopes=['*:read']).pk}/"
    )
    change_policy(alpha_admin, agents="read_only", default_access="read_write")
    bound = api(alpha_user).get(f"/api/profile/tokens/authorizations/{ask().pk}/")
    for shown in (reading.json(), bound.json()):
        assert values(shown["access"]) == ["read_only", "entities"]
        assert values(shown["entity_access"]) == ["none", "read"]
        assert shown["default_access"] == "read_only"


def test_denial_over_rest(ask, api, alpha_user, alpha_admin) -> None:
    change_policy(alpha_admin, clients="none")
    path = f"/api/profile/tokens/authorizations/{ask().pk}/"
    assert "does not allow clients" in api(alpha_user).get(path).json()["denial"]
    allow = {"decision": "allow", "days": 30, "owner": str(alpha_user.pk)}
    assert api(alpha_user).post(path, allow, format="json").status_code == 403
    answer = api(alpha_user).post(path, {"decision": "deny"}, format="json")
    assert "error=access_denied" in answer.json()["redirect_to"]


def test_leak_report_ends_the_connection(connect, alpha_user, connection_of) -> None:
    grant = connect(alpha_user)
    body = f'{{"token": "{grant.access_token}"}}'.encode()
    assert answer_report(body, Source()).body == {"revoked": True}
    assert answer_report(body, Source()).body == {"revoked": False}
    assert connection_of(alpha_user).end_reason == "An access token was reported as leaked."
    assert find_token(grant.access_token).status == "revoked"
    assert mail.outbox[0].to == [alpha_user.user.email]


@pytest.mark.parametrize("is_used", [False, True], ids=["newest", "used"])
def test_leak_report_of_a_refresh_token(connect, alpha_user, connection_of, is_used) -> None:
    grant = connect(alpha_user)
    if is_used:
        refresh(find_refresh_token(grant.refresh_token))
    body = f'{{"token": "{grant.refresh_token}"}}'.encode()
    assert answer_report(body, Source()).body == {"revoked": True}
    assert answer_report(body, Source()).body == {"revoked": False}
    assert connection_of(alpha_user).end_reason == "A refresh token was reported as leaked."
    assert find_token(grant.access_token).status == "revoked"
    [message] = mail.outbox
    assert message.to == [alpha_user.user.email]
    assert grant.refresh_token not in message.body
    assert grant.refresh_token[:13] in message.body


def test_leak_report_of_a_refresh_token_that_nobody_has(db) -> None:
    body = b'{"token": "bcrm_ort_0000000000000000000000000000000000000000000000000"}'
    assert answer_report(body, Source()).body == {"revoked": False}


def test_notices(connect, alpha_user, later) -> None:
    connect(alpha_user)
    call_command("pat_expiry", verbosity=0)
    assert mail.outbox == []
    later(alpha_user, expires_at=timezone.now() + timedelta(days=6), created_at=_days_ago(84))
    for _ in range(2):
        call_command("pat_expiry", verbosity=0)
    assert [each.subject for each in mail.outbox] == ["The connection of Claude ends in a week"]
    later(alpha_user, expires_at=timezone.now() + timedelta(hours=6))
    call_command("pat_expiry", verbosity=0)
    assert mail.outbox[1].subject == "The connection of Claude ends in a day"
    later(alpha_user, expires_at=timezone.now())
    for _ in range(2):
        call_command("pat_expiry", verbosity=0)
    [event] = events_of(alpha_user, kind="expired")
    assert (event.token_name, event.detail) == ("Claude", "Its time is over; connect again.")
    assert len(mail.outbox) == 2


def test_access_tokens_get_no_notice(connect, alpha_user) -> None:
    connect(alpha_user)
    with in_organisation(alpha_user.org_id):
        Token.objects.update(expires_at=timezone.now())
    call_command("pat_expiry", verbosity=0)
    assert mail.outbox == []
    assert events_of(alpha_user, kind="expired") == []


@pytest.mark.parametrize("step", ["due_connections", "remove_leftovers", "forget_unused"])
def test_what_fails_keeps_nothing_else_from_being_done(
    connect, alpha_user, beta_user, later, monkeypatch, step
) -> None:
    """Of one organisation, or of all."""
    for owner in (alpha_user, beta_user):
        connect(owner)
        later(owner, ended_at=timezone.now() - timedelta(days=31))
    from pat_tokens.management.commands import pat_expiry
    from pat_tokens.oauth import expiry

    module = pat_expiry if step == "forget_unused" else expiry
    does = getattr(module, step)
    failed: list[Any] = []

    def fails_first(*args):
        if not failed:
            failed.append(args)
            raise ConnectionRefusedError
        return does(*args)

    monkeypatch.setattr(module, step, fails_first)
    with pytest.raises(CommandError, match="1 step failed"):
        call_command("pat_expiry", verbosity=0)
    left = 1 if step == "remove_leftovers" else 0
    assert sum(len(all_of(owner)) for owner in (alpha_user, beta_user)) == left
    call_command("pat_expiry", verbosity=0)
    assert not all_of(alpha_user) + all_of(beta_user)


def all_of(owner) -> list[Any]:
    with in_organisation(owner.org_id):
        return list(Connection.objects.all())


def test_leftovers_are_removed(connect, ask, alpha_user, later) -> None:
    connect(alpha_user)
    call_command("pat_expiry", verbosity=0)
    with in_organisation(alpha_user.org_id):
        assert Connection.objects.count() == RefreshToken.objects.count() == 1
    later(alpha_user, idle_expires_at=_days_ago(31), expiry_notice=0)
    call_command("pat_expiry", verbosity=0)
    with in_organisation(alpha_user.org_id):
        for model in (Connection, RefreshToken, AuthorizationCode, Token):
            assert not model.objects.exists()


def test_connection_that_was_never_fetched_is_not_shown(ask, alpha_user, api) -> None:
    from pat_tokens.oauth.consent import approve

    approve(alpha_user, ask().pk, scopes=["*:read"], days=30)
    assert api(alpha_user).get(OWN).json()["connections"] == []


def _days_ago(days: int):
    return timezone.now() - timedelta(days=days)
