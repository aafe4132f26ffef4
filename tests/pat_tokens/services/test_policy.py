import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from pat_tokens.models import Policy, Token
from pat_tokens.resolver import ExpiredToken, resolve_token
from pat_tokens.rls import presenting
from pat_tokens.services.policy import AGENTS_OFF, AGENTS_READ_ONLY, change_policy, policy_of
from tests.host_tokens.models import issue_host_token

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")


def ages(token, org_context, days) -> None:
    made = timezone.now() - timedelta(days=days)
    with org_context(token.org):
        Token.objects.filter(pk=token.pk).update(created_at=made)


def test_everything_is_allowed_without_a_policy(alpha_admin) -> None:
    policy = policy_of(alpha_admin.org_id)
    assert (policy.agents, policy.max_lifetime, policy.sealed) == ("on", None, False)


def test_change_is_logged_with_its_author(alpha_admin, events) -> None:
    change_policy(alpha_admin, agents="read_only", max_lifetime_days=30)
    (event,) = events(alpha_admin.org)
    assert (event.kind, event.actor) == ("policy", alpha_admin.user.email)
    assert event.detail == "agents: on → read_only, max_lifetime_days: None → 30"


def test_change_of_nothing_is_not_logged(alpha_admin, events) -> None:
    change_policy(alpha_admin, agents="on")
    assert events(alpha_admin.org) == []


def test_change_keeps_what_is_not_named(alpha_admin) -> None:
    change_policy(alpha_admin, max_lifetime_days=30)
    change_policy(alpha_admin, confirmation="sealed")
    policy = policy_of(alpha_admin.org_id)
    assert (policy.max_lifetime_days, policy.sealed) == (30, True)


def test_policies_of_other_organisations_are_out_of_sight(
    alpha_admin, beta_admin, org_context
) -> None:
    change_policy(alpha_admin, agents="off")
    assert not Policy.objects.exists()
    with org_context(beta_admin.org):
        assert not Policy.objects.exists()
        assert Policy.objects.filter(org_id=alpha_admin.org_id).update(agents="on") == 0


def test_no_policy_for_another_organisation(alpha_admin, beta_admin, org_context) -> None:
    with (
        org_context(beta_admin.org),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        Policy.objects.create(org_id=alpha_admin.org_id, agents="off")


def test_presented_token_opens_its_own_policy_to_reading_only(
    alpha_admin, beta_admin, issue
) -> None:
    token, _ = issue(alpha_admin)
    change_policy(alpha_admin, agents="off")
    change_policy(beta_admin, agents="off")
    with presenting(token.digest):
        assert [policy.org_id for policy in Policy.objects.all()] == [alpha_admin.org_id]
        assert Policy.objects.update(agents="on") == 0


def test_policy_comes_with_the_token(alpha_admin, issue, django_assert_num_queries) -> None:
    _, secret = issue(alpha_admin)
    change_policy(alpha_admin, agents="read_only", max_lifetime_days=30)
    with django_assert_num_queries(5):  # savepoint, set, SELECT, unset, release
        token = resolve_token(secret)
    assert (token.policy_agents, token.policy_days) == ("read_only", 30)


@pytest.mark.parametrize(
    ("agents", "method", "reason"),
    [
        ("on", "post", None),
        ("read_only", "get", None),
        ("read_only", "post", AGENTS_READ_ONLY),
        ("off", "get", AGENTS_OFF),
    ],
)
@pytest.mark.parametrize("source", ["ours", "host"])
def test_agents(alpha_admin, issue, client, monkeypatch, agents, method, reason, source) -> None:
    change_policy(alpha_admin, agents=agents)
    answer = request_with(source, alpha_admin, issue, client, monkeypatch, method)
    assert (answer.status_code == 403) == bool(reason)
    if reason:
        assert answer.json() == {"detail": reason}


def request_with(source, owner, issue, client, monkeypatch, method):
    if source == "ours":
        _, secret = issue(owner)
        header = {"Authorization": f"Bearer {secret}"}
    else:
        row, _ = issue_host_token(owner)
        header = {}
        recognise(monkeypatch, row)
    return getattr(client, method)("/api/leads/", headers=header)


def recognise(monkeypatch, row) -> None:
    """As the host's own middleware does with a token of its own."""
    from demo_crm.access import middleware

    def identify(request):
        request._pat = row
        return row.profile

    monkeypatch.setattr(middleware, "profile_of", identify)


def test_other_organisations_are_not_bound(alpha_admin, beta_admin, issue, client) -> None:
    change_policy(alpha_admin, agents="off")
    _, secret = issue(beta_admin)
    answer = client.get("/api/leads/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


def test_new_lifetime_reaches_old_tokens(alpha_admin, issue, org_context) -> None:
    token, secret = issue(alpha_admin)
    ages(token, org_context, days=31)
    assert resolve_token(secret) == token
    change_policy(alpha_admin, max_lifetime_days=30)
    with pytest.raises(ExpiredToken):
        resolve_token(secret)
    change_policy(alpha_admin, max_lifetime_days=32)
    assert resolve_token(secret) == token


def test_reason_names_the_policy(alpha_admin, issue, org_context) -> None:
    token, _ = issue(alpha_admin)
    ages(token, org_context, days=31)
    change_policy(alpha_admin, max_lifetime_days=30)
    with org_context(alpha_admin.org):
        shown = Token.objects.governed().get()
    assert (shown.status, shown.status_reason) == (
        "expired",
        "The organisation allows 30 days at most.",
    )


def test_earlier_expiry_wins_over_the_policy(alpha_admin, issue, org_context) -> None:
    soon = timezone.now() + timedelta(days=1)
    issue(alpha_admin, expires_at=soon)
    change_policy(alpha_admin, max_lifetime_days=30)
    with org_context(alpha_admin.org):
        assert Token.objects.governed().get().ends_at == soon


def test_lifetime_of_the_hosts_own_tokens(alpha_admin, client, monkeypatch) -> None:
    row, _ = issue_host_token(alpha_admin, created_at=timezone.now() - timedelta(days=31))
    recognise(monkeypatch, row)
    assert client.get("/api/leads/").status_code == 200
    change_policy(alpha_admin, max_lifetime_days=30)
    answer = client.get("/api/leads/")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Your organisation allows tokens 30 days at most."


def test_administrators_by_a_function_of_the_host(alpha_user, api) -> None:
    assert api(alpha_user).get("/api/org/tokens/").status_code == 403
    with override_settings(PAT_TOKENS_IS_ADMIN="tests.pat_tokens.services.test_policy.everyone"):
        assert api(alpha_user).get("/api/org/tokens/").status_code == 200


def everyone(owner) -> bool:
    return True


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_both_count(alpha_admin) -> None:
    together = threading.Barrier(2)

    def change(values) -> None:
        try:
            together.wait(20)
            change_policy(alpha_admin, **values)
        finally:
            connection.close()

    for _ in range(5):
        change_policy(alpha_admin, agents="on", max_lifetime_days=None)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(change, [{"agents": "off"}, {"max_lifetime_days": 30}]))
        policy = policy_of(alpha_admin.org_id)
        assert (policy.agents, policy.max_lifetime_days) == ("off", 30)
