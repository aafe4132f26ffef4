from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pat_tokens.models import Token
from pat_tokens.rls import in_organisation
from pat_tokens.services.policy import change_policy
from tests.host_tokens.models import issue_host_token

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")

URL = "/api/org/tokens/"


def update(token, **values) -> None:
    with in_organisation(token.org_id):
        Token.objects.filter(pk=token.pk).update(**values)


def test_every_token_of_the_organisation(api, issue, alpha_admin, alpha_user, beta_user) -> None:
    issue(alpha_admin, name="mine")
    issue(alpha_user, name="theirs")
    issue(beta_user, name="elsewhere")
    issue_host_token(alpha_user, name="older")
    issue_host_token(beta_user)
    rows = api(alpha_admin).get(URL).json()["tokens"]
    assert [row["name"] for row in rows] == ["theirs", "mine", "older"]
    assert rows[0]["owner"] == {
        "id": str(alpha_user.pk),
        "name": "Alpha User",
        "role": "USER",
        "is_active": True,
    }
    assert rows[0]["is_live"] is True
    assert rows[2]["of_host"] is True


def test_no_secret_and_no_digest(api, issue, alpha_admin) -> None:
    token, secret = issue(alpha_admin)
    shown = api(alpha_admin).get(URL).content.decode()
    assert secret not in shown
    assert token.digest not in shown


def test_totals(api, issue, alpha_admin, alpha_user) -> None:
    fresh, _ = issue(alpha_admin)
    unused, _ = issue(alpha_admin)
    issue(alpha_user, expires_at=timezone.now())
    revoked, _ = issue(alpha_user)
    issue(alpha_user)
    long_ago = timezone.now() - timedelta(days=91)
    update(fresh, created_at=long_ago, last_used_at=timezone.now())
    update(unused, created_at=long_ago)
    update(revoked, revoked_at=timezone.now())
    issue_host_token(alpha_user, created_at=long_ago)
    alpha_user.is_active = False
    alpha_user.save()
    answer = api(alpha_admin).get(URL).json()
    counts = {"count": 6, "live": 4, "orphaned": 2, "unused_90d": 2, "connections": 0}
    assert answer["totals"] == counts


def test_revoke_one(api, issue, stored, events, alpha_admin, alpha_user) -> None:
    token, _ = issue(alpha_user)
    client = api(alpha_admin)
    for _ in range(2):
        answer = client.delete(f"{URL}{token.pk}/")
        assert (answer.status_code, answer.json()) == (200, {"error": False})
    assert stored(token).revoked_by == alpha_admin.user.email
    assert [event.actor for event in events(alpha_user.org)] == [alpha_admin.user.email]


def test_revoke_one_of_the_host(api, events, alpha_admin, alpha_user) -> None:
    row, _ = issue_host_token(alpha_user)
    assert api(alpha_admin).delete(f"{URL}{row.pk}/").status_code == 200
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert events(alpha_user.org)[0].token_name == "Older"


def test_revoke_all_of_a_person(api, issue, stored, alpha_admin, alpha_user) -> None:
    mine, _ = issue(alpha_admin)
    theirs = [issue(alpha_user)[0] for _ in range(2)]
    row, _ = issue_host_token(alpha_user)
    answer = api(alpha_admin).post(f"{URL}revoke/", {"owner": str(alpha_user.pk)}, format="json")
    assert answer.json() == {"error": False, "revoked": 3}
    assert [stored(token).status for token in theirs] == ["revoked", "revoked"]
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert stored(mine).status == "active"


def test_revoke_all(api, issue, stored, alpha_admin, alpha_user, beta_user) -> None:
    ours = [issue(alpha_user)[0], issue(alpha_admin)[0]]
    theirs, _ = issue(beta_user)
    their_row, _ = issue_host_token(beta_user)
    answer = api(alpha_admin).post(f"{URL}revoke/", {"all": True}, format="json")
    assert answer.json()["revoked"] == 2
    assert [stored(token).status for token in ours] == ["revoked", "revoked"]
    assert stored(theirs).status == "active"
    their_row.refresh_from_db()
    assert their_row.revoked_at is None


@pytest.mark.parametrize("number", [1, 40])
def test_revoke_all_takes_the_same_statements_for_any_number(
    api, issue, events, alpha_admin, alpha_user, number
) -> None:
    for _ in range(number):
        issue(alpha_user)
        issue_host_token(alpha_user)
    client = api(alpha_admin)
    with CaptureQueriesContext(connection) as statements:
        answer = client.post(f"{URL}revoke/", {"all": True}, format="json")
    assert answer.json()["revoked"] == 2 * number
    assert sum(each["sql"].startswith("UPDATE") for each in statements) == 3
    (event,) = events(alpha_admin.org)
    assert (event.kind, event.detail) == (
        "revoked",
        f"all of the organisation: {2 * number} tokens",
    )


def test_revoke_all_of_a_person_is_one_entry(api, issue, events, alpha_admin, alpha_user) -> None:
    issue(alpha_user)
    body = {"owner": str(alpha_user.pk)}
    for revoked in (1, 0):
        answer = api(alpha_admin).post(f"{URL}revoke/", body, format="json")
        assert answer.json()["revoked"] == revoked
    (event,) = events(alpha_admin.org)
    assert event.detail == "all of alpha.user@example.com: 1 tokens"


def test_expired_by_policy_can_not_come_back(api, issue, stored, alpha_admin, alpha_user) -> None:
    token, _ = issue(alpha_user)
    update(token, created_at=timezone.now() - timedelta(days=2))
    change_policy(alpha_admin, max_lifetime_days=1)
    api(alpha_admin).post(f"{URL}revoke/", {"all": True}, format="json")
    change_policy(alpha_admin, max_lifetime_days=None)
    assert stored(token).status == "revoked"


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["tokens"]]


def test_person_and_state(api, issue, alpha_admin, alpha_user) -> None:
    issue(alpha_admin, name="mine")
    unused, _ = issue(alpha_user, name="unused")
    issue(alpha_user, name="expired", expires_at=timezone.now())
    long_ago = timezone.now() - timedelta(days=91)
    update(unused, created_at=long_ago)
    issue_host_token(alpha_user, name="host unused", created_at=long_ago)
    issue_host_token(alpha_user, name="host revoked", revoked_at=timezone.now())
    client = api(alpha_admin)
    theirs = ["unused", "host unused", "expired", "host revoked"]
    for person in (str(alpha_user.pk), alpha_user.user.email):
        assert names(client.get(URL, {"person": person})) == theirs
    assert names(client.get(URL, {"state": "live"})) == ["mine", "unused", "host unused"]
    assert names(client.get(URL, {"state": "dead"})) == ["expired", "host revoked"]
    assert names(client.get(URL, {"state": "unused_90d"})) == ["unused", "host unused"]
    assert names(client.get(URL, {"state": "orphaned"})) == []
    alpha_user.is_active = False
    alpha_user.save()
    assert names(client.get(URL, {"state": "orphaned"})) == ["unused", "host unused"]
    assert names(client.get(URL, {"state": "orphaned", "person": str(alpha_admin.pk)})) == []


def test_states_follow_the_policy(api, issue, alpha_admin) -> None:
    rotated, _ = issue(alpha_admin, name="rotated")
    old, _ = issue(alpha_admin, name="old")
    long_ago = timezone.now() - timedelta(days=10)
    update(old, created_at=long_ago)
    update(rotated, created_at=long_ago, rotated_at=timezone.now())
    change_policy(alpha_admin, max_lifetime_days=5)
    client = api(alpha_admin)
    for state, status, name in (("live", "active", "rotated"), ("dead", "expired", "old")):
        (row,) = client.get(URL, {"state": state}).json()["tokens"]
        assert (row["name"], row["status"]) == (name, status)
    assert client.get(URL).json()["totals"]["live"] == 1


def test_list_takes_the_same_statements_for_any_number(api, issue, alpha_admin) -> None:
    client = api(alpha_admin)
    statements = []
    for number in (1, 30):
        for _ in range(number):
            issue(alpha_admin)
            issue_host_token(alpha_admin)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(URL).status_code == 200
        statements.append(len(captured))
    assert statements[0] == statements[1]


def test_pages(api, issue, alpha_admin, alpha_user) -> None:
    for number in range(6):
        issue(alpha_admin if number % 2 else alpha_user, name=str(number))
    client = api(alpha_admin)
    pages, cursor = [], ""
    while cursor is not None:
        answer = client.get(URL, {"limit": 4, "cursor": cursor})
        pages.append(names(answer))
        cursor = answer.json()["next"]
    assert pages == [["5", "4", "3", "2"], ["1", "0"]]


@pytest.mark.parametrize(
    "query", ["state=x", "person=x", "person=beta.user@example.com", "limit=0", "odd=1"]
)
def test_bad_list(api, alpha_admin, beta_user, query) -> None:
    answer = api(alpha_admin).get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"all": False},
        {"all": True, "owner": "00000000-0000-4000-8000-000000000000"},
        {"owner": "me"},
    ],
)
def test_revoke_without_saying_what(api, issue, stored, alpha_admin, body) -> None:
    token, _ = issue(alpha_admin)
    answer = api(alpha_admin).post(f"{URL}revoke/", body, format="json")
    assert answer.status_code == 400
    assert stored(token).status == "active"


def test_policy(api, alpha_admin, beta_admin) -> None:
    client = api(alpha_admin)
    answer = client.patch(
        f"{URL}policy/", {"agents": "read_only", "max_lifetime_days": 30}, format="json"
    )
    assert answer.status_code == 200
    told = client.get(f"{URL}policy/").json()
    assert (told["agents"], told["max_lifetime_days"], told["confirmation"]) == (
        "read_only",
        30,
        "explicit",
    )
    assert told["updated_by"] == alpha_admin.user.email
    assert api(beta_admin).get(f"{URL}policy/").json()["agents"] == "on"


@pytest.mark.parametrize(
    "body",
    [
        {"agents": "maybe"},
        {"max_lifetime_days": 0},
        {"max_lifetime_days": 4000},
        {"confirmation": "none"},
        {"agent": "off"},
        {"org_id": "00000000-0000-4000-8000-000000000000"},
    ],
)
def test_bad_policy(api, alpha_admin, body) -> None:
    answer = api(alpha_admin).patch(f"{URL}policy/", body, format="json")
    assert answer.status_code == 400
    assert api(alpha_admin).get(f"{URL}policy/").json()["agents"] == "on"


def test_events(api, alpha_admin, alpha_user, beta_user) -> None:
    for owner in (alpha_user, beta_user):
        api(owner).post("/api/profile/tokens/", {"name": "Laptop"}, format="json")
    (event,) = api(alpha_admin).get(f"{URL}events/").json()["events"]
    assert (event["kind"], event["what"], event["actor"]) == (
        "created",
        "Created",
        alpha_user.user.email,
    )


def test_events_are_narrowed(api, issue, alpha_admin) -> None:
    client = api(alpha_admin)
    for name in ("one", "two"):
        client.post("/api/profile/tokens/", {"name": name}, format="json")
    first, second = client.get(f"{URL}events/").json()["events"]
    assert [first["token_name"], second["token_name"]] == ["two", "one"]
    for query in ("limit=1", f"token={first['token_id']}"):
        assert client.get(f"{URL}events/?{query}").json()["events"] == [first]
    assert client.get(f"{URL}events/?kind=revoked").json()["events"] == []


@pytest.mark.parametrize("query", ["kind=x", "token=x", "limit=0", "limit=x", "limit=1000"])
def test_bad_narrowing(api, alpha_admin, query) -> None:
    assert api(alpha_admin).get(f"{URL}events/?{query}").status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("post", "revoke/"),
        ("get", "policy/"),
        ("patch", "policy/"),
        ("get", "events/"),
        ("delete", "00000000-0000-4000-8000-000000000000/"),
    ],
)
def test_members_and_tokens_are_kept_out(
    api, token_api, alpha_user, alpha_admin, method, path
) -> None:
    answer = getattr(api(alpha_user), method)(URL + path)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Only an administrator of the organisation may do this."
    assert getattr(token_api(alpha_admin), method)(URL + path).status_code == 403


METHODS = ("get", "post", "put", "patch", "delete", "options")


@pytest.mark.parametrize("stranger", ["alpha_user", "beta_user", "beta_admin"])
@pytest.mark.parametrize("kind", ["ours", "host"])
def test_another_persons_token_is_not_found(
    api, issue, stored, alpha_admin, request, stranger, kind
) -> None:
    """By every path and method that takes an id: nothing is seen, rotated or revoked."""
    target: Any = issue(alpha_admin)[0] if kind == "ours" else issue_host_token(alpha_admin)[0]
    client = api(request.getfixturevalue(stranger))
    for path in (
        f"/api/profile/tokens/{target.pk}/",
        f"/api/profile/tokens/{target.pk}/rotate/",
        f"/api/org/tokens/{target.pk}/",
    ):
        for method in METHODS:
            answer = getattr(client, method)(path)
            assert answer.status_code in (403, 404, 405) or method == "options"
            assert target.name not in answer.content.decode()
    for path in ("/api/profile/tokens/", f"/api/org/tokens/events/?token={target.pk}"):
        assert str(target.pk) not in client.get(path).content.decode()
    body = {"owner": str(alpha_admin.pk)}
    client.post("/api/org/tokens/revoke/", body, format="json")
    if kind == "ours":
        assert (stored(target).status, stored(target).digest) == ("active", target.digest)
    else:
        target.refresh_from_db()
        assert target.revoked_at is None
