from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from pat_tokens.audit.usage import record_refusal
from pat_tokens.models import DailyUse, Event
from pat_tokens.resolver import PausedToken, resolve_token
from pat_tokens.rls import in_organisation
from pat_tokens.services.daily_use import DAYS, use_of
from pat_tokens.services.own_changes import NotLive, edit, pause, resume
from pat_tokens.services.own_tokens import own_token
from pat_tokens.services.policy import AGENTS_OFF, change_policy
from pat_tokens.services.refusals import last_refusal


def test_paused_and_resumed(issue, stored, events, alpha_user) -> None:
    token, secret = issue(alpha_user)
    pause(token)
    pause(token)
    assert stored(token).status == "paused"
    with pytest.raises(PausedToken):
        resolve_token(secret)
    resume(token)
    assert resolve_token(secret) == token
    kinds = [event.kind for event in events(alpha_user.org, actor_id=str(alpha_user.pk))]
    assert kinds == [Event.Kind.PAUSED, Event.Kind.REFUSED, Event.Kind.RESUMED]


def test_refusal_of_a_state_that_is_over_is_not_told(issue, alpha_user, alpha_admin) -> None:
    token, secret = issue(alpha_user)

    def told() -> str:
        refusal = last_refusal(own_token(alpha_user, token.pk))
        return refusal[1] if refusal else ""

    pause(token)
    with pytest.raises(PausedToken) as refused:
        resolve_token(secret)
    assert told() == str(refused.value.detail)
    resume(token)
    assert told() == ""
    pause(token)
    assert told() == ""
    resume(token)
    change_policy(alpha_admin, agents="off")
    record_refusal(token, AGENTS_OFF)
    assert told() == AGENTS_OFF
    change_policy(alpha_admin, agents="read_only")
    assert told() == ""
    record_refusal(token, "This token lacks the scope leads:read.")
    assert told()


def test_what_is_over_is_not_paused(issue, stored, alpha_user) -> None:
    token, _ = issue(alpha_user, expires_at=timezone.now())
    with pytest.raises(NotLive):
        pause(token)
    assert stored(token).status == "expired"


def test_edited(issue, stored, events, alpha_user) -> None:
    token, _ = issue(alpha_user)
    edit(token, name="Laptop", note="")
    edit(token, name="Desk", note="In the office")
    assert (stored(token).name, stored(token).note) == ("Desk", "In the office")
    (event,) = events(alpha_user.org, kind=Event.Kind.EDITED)
    assert event.detail == "name and note"
    assert "office" not in event.detail


def test_use_is_counted_by_the_day(issue, token_api, alpha_user) -> None:
    client = token_api(alpha_user)
    client.get("/api/leads/")
    client.get("/api/leads/")
    with in_organisation(alpha_user.org_id):
        (row,) = DailyUse.objects.select_related("token")
    assert (row.day, row.minutes) == (datetime.now(UTC).date(), 1)
    used = use_of(row.token)
    assert len(used) == DAYS
    assert used[-1] == (row.day, 1)
    assert used[0] == (row.day - timedelta(days=DAYS - 1), 0)


def test_use_of_another_organisation_is_not_seen(token_api, alpha_user, beta_user) -> None:
    token_api(alpha_user).get("/api/leads/")
    with in_organisation(beta_user.org_id):
        assert not DailyUse.objects.exists()
