from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from pat_tokens import secret as token_secret
from pat_tokens.api.views import TokenListView
from pat_tokens.lists.moments import zone_of
from pat_tokens.models import Token
from pat_tokens.resolver import PausedToken, resolve_token
from pat_tokens.services.policy import change_policy
from tests.host_tokens.models import issue_host_token

URL = "/api/profile/tokens/"

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")


def create(client: APIClient, **data):
    return client.post(URL, {"name": "Laptop", **data}, format="json")


def lifetime(answer) -> timedelta:
    return datetime.fromisoformat(answer.json()["expires_at"]) - timezone.now()


def test_create(api, alpha_user) -> None:
    answer = create(api(alpha_user), scopes=["leads:read"])
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    token = resolve_token(answer.json()["token"])
    assert token.owner == alpha_user
    assert (token.name, token.scopes) == ("Laptop", ["leads:read"])


def test_secret_is_told_at_creation_only(api, alpha_user) -> None:
    client = api(alpha_user)
    secret = create(client).json()["token"]
    listed = client.get(URL)
    assert secret not in listed.content.decode()
    assert token_secret.digest(secret) not in listed.content.decode()
    assert not {"token", "digest", "previous_digest"} & set(listed.json()["tokens"][0])


def test_digest_is_not_told_at_creation(api, alpha_user) -> None:
    answer = create(api(alpha_user))
    assert token_secret.digest(answer.json()["token"]) not in answer.content.decode()


def test_expires_after_90_days_by_default(api, alpha_user) -> None:
    assert timedelta(days=89) < lifetime(create(api(alpha_user))) <= timedelta(days=90)


def test_expires_in_days(api, alpha_user) -> None:
    answer = create(api(alpha_user), expires_in_days=7)
    assert timedelta(days=6) < lifetime(answer) <= timedelta(days=7)


def test_expires_at(api, alpha_user) -> None:
    answer = create(api(alpha_user), expires_at="2999-12-31T00:00:00Z")
    assert lifetime(answer) > timedelta(days=300_000)


@pytest.mark.parametrize(
    ("zone", "end"),
    [
        ("Asia/Kolkata", "2030-06-15T18:29:59.999999+00:00"),
        ("America/New_York", "2030-06-16T03:59:59.999999+00:00"),
        ("UTC", "2030-06-15T23:59:59.999999+00:00"),
    ],
)
def test_date_lasts_until_its_end_in_the_organisation(api, alpha_user, zone, end) -> None:
    alpha_user.org.timezone = zone
    alpha_user.org.save()
    answer = create(api(alpha_user), expires_at="2030-06-15")
    told = datetime.fromisoformat(answer.json()["expires_at"])
    assert told == datetime.fromisoformat(end)


def test_time_without_a_zone_is_the_organisations(api, alpha_user) -> None:
    answer = create(api(alpha_user), expires_at="2030-06-15T12:00")
    assert answer.json()["expires_at"] == "2030-06-15T12:00:00+05:30"


def test_never_expires_when_asked_for(api, alpha_user) -> None:
    assert create(api(alpha_user), expires_at=None).json()["expires_at"] is None


def test_scopes_are_canonical_and_unique(api, alpha_user) -> None:
    answer = create(api(alpha_user), scopes=[" Leads:READ", "leads:read", "*:write"])
    assert answer.json()["scopes"] == ["leads:read", "*:write"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"scopes": "leads:read"}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"scopes": ["lead:read"]}, "scopes"),
        ({"scopes": ["leads:read"] * 33}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": None}, "expires_in_days"),
        ({"expires_in_days": 10**9}, "expires_in_days"),
        ({"expires_in_days": 1, "expires_at": None}, "non_field_errors"),
        ({"scope": ["leads:read"]}, "non_field_errors"),
        ({"access": "admin"}, "access"),
        ({"access": "read_only", "scopes": []}, "non_field_errors"),
        ({"entities": {"leads": "read"}}, "entities"),
        ({"access": "entities"}, "entities"),
        ({"access": "entities", "entities": {"leads": "none"}}, "entities"),
        ({"access": "entities", "entities": {"lead": "read"}}, "entities"),
        ({"access": "entities", "entities": {"leads": "delete"}}, "entities"),
        ({"access": "entities", "entities": ["leads"]}, "entities"),
    ],
)
def test_bad_request(api, alpha_user, org_context, data, field) -> None:
    answer = create(api(alpha_user), **data)
    assert answer.status_code == 400
    assert answer.json()["error"] is True
    assert list(answer.json()["errors"]) == [field]
    with org_context(alpha_user.org):
        assert not Token.objects.exists()


@pytest.mark.parametrize("body", [[], "text", 7])
def test_body_that_is_no_object(api, alpha_user, body) -> None:
    assert api(alpha_user).post(URL, body, format="json").status_code == 400


def test_list_shows_own_tokens_newest_first(api, issue, alpha_user, alpha_admin) -> None:
    issue(alpha_user, name="first")
    issue(alpha_user, name="second")
    issue(alpha_admin, name="not theirs")
    names = [token["name"] for token in api(alpha_user).get(URL).json()["tokens"]]
    assert names == ["second", "first"]


def test_list_keeps_revoked_and_expired_tokens(api, issue, alpha_user, org_context) -> None:
    revoked, _ = issue(alpha_user)
    issue(alpha_user, expires_at=timezone.now())
    with org_context(alpha_user.org):
        revoked.revoke()
    tokens = api(alpha_user).get(URL).json()["tokens"]
    assert [token["status"] for token in tokens] == ["expired", "revoked"]


def test_dead_tokens_are_paged_behind_the_live_ones(api, issue, alpha_user) -> None:
    """Nobody buries a live token under dead ones."""
    issue(alpha_user, name="live")
    for number in range(3):
        issue(alpha_user, name=f"dead {number}", expires_at=timezone.now())
    issue_host_token(alpha_user, name="host live")
    issue_host_token(alpha_user, name="host dead", revoked_at=timezone.now())
    client = api(alpha_user)
    pages, cursor = [], ""
    while cursor is not None:
        answer = client.get(URL, {"limit": 2, "cursor": cursor}).json()
        pages.append([row["name"] for row in answer["tokens"]])
        cursor = answer["next"]
    assert pages == [["live", "host live"], ["dead 2", "dead 1"], ["dead 0", "host dead"]]
    whole = client.get(URL).json()
    assert (len(whole["tokens"]), whole["next"]) == (6, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "offset=1", "cursor=x"])
def test_bad_page(api, alpha_user, query) -> None:
    assert api(alpha_user).get(f"{URL}?{query}").status_code == 400


def test_too_many_live_tokens(api, alpha_user, settings) -> None:
    settings.PAT_TOKENS_MAX_LIVE = 1
    client = api(alpha_user)
    assert create(client).status_code == 201
    answer = create(client)
    assert answer.status_code == 409
    assert "Revoke one" in answer.json()["detail"]


def test_body_that_is_not_json(api, alpha_user) -> None:
    answer = api(alpha_user).post(URL, {"name": "Laptop"})
    assert answer.status_code == 415


def test_revoke(api, issue, stored, alpha_user) -> None:
    token, _ = issue(alpha_user)
    assert api(alpha_user).delete(f"{URL}{token.pk}/").status_code == 200
    assert stored(token).status == "revoked"


def test_revoke_twice(api, issue, stored, alpha_user) -> None:
    token, _ = issue(alpha_user)
    client = api(alpha_user)
    client.delete(f"{URL}{token.pk}/")
    first = stored(token).revoked_at
    assert client.delete(f"{URL}{token.pk}/").status_code == 200
    assert stored(token).revoked_at == first


@pytest.mark.parametrize("stranger", ["alpha_admin", "beta_user"])
def test_token_of_another_owner(api, issue, stored, alpha_user, request, stranger) -> None:
    token, _ = issue(alpha_user)
    client = api(request.getfixturevalue(stranger))
    assert client.delete(f"{URL}{token.pk}/").status_code == 404
    assert stored(token).status == "active"


def test_unknown_token(api, alpha_user) -> None:
    assert api(alpha_user).delete(f"{URL}{uuid4()}/").status_code == 404


def test_anonymous(db) -> None:
    assert APIClient().get(URL).status_code == 403


def call_view(headers, user=None, auth=None, **attributes):
    """The view alone, as in a host whose middleware let the request through."""
    request = APIRequestFactory().post(URL, {"name": "Laptop"}, format="json", headers=headers)
    for name, value in attributes.items():
        setattr(request, name, value)
    force_authenticate(request, user=user, token=auth)
    return TokenListView.as_view()(request)


@pytest.mark.parametrize("headers", [{"Token": "org-key"}, {"Authorization": "Bearer bcrm_pat_x"}])
def test_made_with_a_key_or_token(alpha_admin, headers) -> None:
    answer = call_view(headers, alpha_admin.user, profile=alpha_admin)
    assert answer.status_code == 403
    assert "Sign in" in answer.data["detail"]


def test_made_with_a_token_of_the_host(alpha_admin) -> None:
    answer = call_view({}, alpha_admin.user, profile=alpha_admin, _pat=object())
    assert answer.status_code == 403


def test_made_with_a_token_known_to_drf_only(alpha_admin, issue) -> None:
    token, _ = issue(alpha_admin)
    answer = call_view({}, alpha_admin.user, token, profile=alpha_admin)
    assert answer.status_code == 403


def test_signed_in_without_an_organisation(alpha_user) -> None:
    answer = call_view({}, alpha_user.user)
    assert answer.status_code == 403
    assert answer.data["detail"] == "Sign in to an organisation to manage its tokens."


def test_access_preset(api, alpha_user) -> None:
    answer = create(api(alpha_user), access="entities", entities={"leads": "read"}).json()
    assert answer["scopes"] == ["leads:read", "profile:read", "org:read"]
    assert answer["access"] == "Leads: read"


def test_lifetime_beyond_the_policy(api, alpha_admin) -> None:
    change_policy(alpha_admin, max_lifetime_days=30)
    client = api(alpha_admin)
    for data in ({"expires_in_days": 31}, {"expires_at": None}, {"expires_at": "2999-01-01"}):
        answer = create(client, **data)
        assert answer.status_code == 400
        assert "30 days at most" in str(answer.json())
    assert create(client, expires_in_days=30).status_code == 201


def test_last_day_of_the_policy_can_be_named(api, alpha_admin) -> None:
    change_policy(alpha_admin, max_lifetime_days=30)
    last = timezone.now().astimezone(zone_of(alpha_admin.org)).date() + timedelta(days=30)
    answer = create(api(alpha_admin), expires_at=last.isoformat())
    assert answer.status_code == 201
    after = create(api(alpha_admin), expires_at=(last + timedelta(days=2)).isoformat())
    assert after.status_code == 400


def test_default_lifetime_within_the_policy(api, alpha_admin) -> None:
    change_policy(alpha_admin, max_lifetime_days=30)
    assert timedelta(days=29) < lifetime(create(api(alpha_admin))) <= timedelta(days=30)


def test_one_token(api, issue, alpha_user) -> None:
    token, _ = issue(alpha_user)
    answer = api(alpha_user).get(f"{URL}{token.pk}/").json()
    assert (answer["id"], answer["first_mcp_at"]) == (str(token.pk), None)


def test_rotate(api, issue, alpha_user) -> None:
    token, old = issue(alpha_user)
    answer = api(alpha_user).post(f"{URL}{token.pk}/rotate/", {"overlap_hours": 1}, format="json")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert resolve_token(answer.json()["token"]) == resolve_token(old) == token


@pytest.mark.parametrize("hours", [-1, 169, "soon"])
def test_bad_overlap(api, issue, stored, alpha_user, hours) -> None:
    token, _ = issue(alpha_user)
    body = {"overlap_hours": hours}
    answer = api(alpha_user).post(f"{URL}{token.pk}/rotate/", body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["overlap_hours"])
    assert stored(token).digest == token.digest


def test_revoked_token_cannot_be_rotated(api, issue, org_context, alpha_user) -> None:
    token, _ = issue(alpha_user)
    with org_context(alpha_user.org):
        token.revoke()
    assert api(alpha_user).post(f"{URL}{token.pk}/rotate/").status_code == 409


def test_creation_is_throttled(api, alpha_user, monkeypatch) -> None:
    monkeypatch.setattr("pat_tokens.services.issue.PER_HOUR", 1)
    client = api(alpha_user)
    assert create(client).status_code == 201
    answer = create(client)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "3600"


def test_own_tokens_of_the_host_are_listed_and_revoked(api, alpha_user, alpha_admin) -> None:
    mine, _ = issue_host_token(alpha_user)
    issue_host_token(alpha_admin)
    client = api(alpha_user)
    assert [row["id"] for row in client.get(URL).json()["tokens"]] == [str(mine.pk)]
    assert client.delete(f"{URL}{mine.pk}/").status_code == 200
    mine.refresh_from_db()
    assert mine.revoked_at is not None


def test_connect(api, alpha_user) -> None:
    answer = api(alpha_user).get(f"{URL}connect/").json()
    assert answer["mcp_url"] == "http://testserver/mcp"
    assert {each["client"] for each in answer["clients"]} > {"cursor", "codex"}
    assert all(answer["placeholder"] in each["text"] for each in answer["clients"])


def test_connect_to_another_host(api, alpha_user, settings) -> None:
    settings.PAT_TOKENS_MCP_URL = "https://api.example.com/mcp"
    answer = api(alpha_user).get(f"{URL}connect/").json()
    assert answer["mcp_url"] == "https://api.example.com/mcp"


def test_error_page_hides_the_secret(api, alpha_user, monkeypatch, settings) -> None:
    """The report that is mailed to the site's administrators when a view fails."""
    from django.core import mail

    def fail(*args, **kwargs):
        raise RuntimeError("after the secret was made")

    seen = []
    make = token_secret.generate

    def generate():
        seen.append(make())
        return seen[-1]

    monkeypatch.setattr(token_secret, "generate", generate)
    monkeypatch.setattr("pat_tokens.api.views.TokenSerializer", fail)
    settings.ADMINS = [("Site", "site@example.com")]
    assert create(api(alpha_user)).status_code == 500
    (message,) = mail.outbox
    assert seen
    assert isinstance(message, mail.EmailMultiAlternatives)
    assert all(seen[0] not in part for part in (message.body, *map(str, message.alternatives)))


def test_paused_and_resumed(api, alpha_user, events) -> None:
    client = api(alpha_user)
    made = create(client).json()
    path = f"{URL}{made['id']}/"
    for _ in range(2):
        assert client.post(f"{path}pause/").json()["status"] == "paused"
    with pytest.raises(PausedToken):
        resolve_token(made["token"])
    assert client.get(path).json()["last_refusal"].startswith("This token is paused.")
    resumed = client.post(f"{path}resume/", {}, format="json").json()
    assert (resumed["status"], resumed["last_refusal"]) == ("active", "")
    assert resolve_token(made["token"])
    kinds = [each.kind for each in events(alpha_user.org, kind__in=("paused", "resumed"))]
    assert kinds == ["paused", "resumed"]
    assert client.post(f"{path}pause/", {"for": "a day"}, format="json").status_code == 400
    client.delete(path)
    ended = client.post(f"{path}pause/")
    assert (ended.status_code, "has ended" in ended.content.decode()) == (409, True)


def test_edited(api, alpha_user, alpha_admin) -> None:
    client = api(alpha_user)
    path = f"{URL}{create(client, note='For May').json()['id']}/"
    answer = client.patch(path, {"note": "In the keychain,\nof my laptop"}, format="json").json()
    assert (answer["name"], answer["note"]) == ("Laptop", "In the keychain,\nof my laptop")
    assert client.patch(path, {"name": "Desk"}, format="json").json()["name"] == "Desk"
    assert client.get(path).json()["note"] == "In the keychain,\nof my laptop"
    refused: list[dict[str, object]] = [
        {"name": ""},
        {"note": "x" * 501},
        {"note": "\u202e"},
        {"scopes": []},
    ]
    for wrong in refused:
        assert client.patch(path, wrong, format="json").status_code == 400, wrong
    # The note is its owner's own.
    (listed,) = api(alpha_admin).get("/api/org/tokens/").json()["tokens"]
    assert "note" not in listed


def test_change_of_anothers_token(api, token_api, alpha_user, alpha_admin) -> None:
    path = f"{URL}{create(api(alpha_user)).json()['id']}/"
    for client, status in ((api(alpha_admin), 404), (token_api(alpha_user), 403)):
        assert client.patch(path, {"name": "Mine"}, format="json").status_code == status
        assert client.post(f"{path}pause/").status_code == status
        assert client.post(f"{path}resume/").status_code == status
