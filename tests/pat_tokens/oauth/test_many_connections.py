"""Many connections: pages, one statement to end them all, and no row that can't be read."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, close_old_connections, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pat_tokens.models import Connection, Event, Token
from pat_tokens.models.expiry import EXPIRY_CEILING
from pat_tokens.oauth.connections import end_by_id
from pat_tokens.oauth.consent import NotAllowed, approve
from pat_tokens.oauth.grants import NotGranted, find_code, redeem_code
from pat_tokens.rls import in_organisation
from pat_tokens.services.issue import TooManyTokens, create_token
from tests.host_tokens.models import issue_host_token

OWN = "/api/profile/tokens/connections/"
ORG = "/api/org/tokens/connections/"
PAGE = "/settings/api-tokens/"


@pytest.fixture
def many(db):
    """Connections of one person, the last one the newest."""

    def make(owner, number: int, **fields) -> list[Connection]:
        now = timezone.now()
        facts = {
            "owner": owner,
            "org_id": owner.org_id,
            "client_id": "desk",
            "resource": "https://crm.example.com/mcp",
            "redirect_host": "claude.ai",
            "redeemed_at": now,
            "expires_at": now + timedelta(days=90),
            "idle_expires_at": now + timedelta(days=30),
            **fields,
        }
        rows = [
            Connection(
                client_name=f"Client {each:03}",
                created_at=now - timedelta(minutes=number - each),
                **facts,
            )
            for each in range(number)
        ]
        with in_organisation(owner.org_id):
            return Connection.objects.bulk_create(rows)

    return make


@pytest.mark.parametrize("path", [OWN, ORG])
def test_pages_have_live_ones_first(api, many, alpha_admin, path) -> None:
    live = many(alpha_admin, 3)
    dead = many(alpha_admin, 2, ended_at=timezone.now())
    client, seen, cursor = api(alpha_admin), [], ""
    while cursor is not None:
        answer = client.get(path, {"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        assert len(answer["connections"]) <= 2
        seen += [row["id"] for row in answer["connections"]]
        cursor = answer["next"]
    assert seen == [str(each.pk) for each in (*reversed(live), *reversed(dead))]


def test_filters_of_an_administrator(api, many, alpha_admin, alpha_user) -> None:
    many(alpha_admin, 1)
    many(alpha_user, 2)
    many(alpha_user, 1, ended_at=timezone.now())
    client = api(alpha_admin)

    def names(**query: str) -> int:
        return len(client.get(ORG, query).json()["connections"])

    assert names(person=str(alpha_user.pk)) == names(person=alpha_user.user.email) == 3
    assert (names(state="live"), names(state="dead"), names(state="unused_90d")) == (3, 1, 0)
    assert client.get(ORG, {"state": "odd"}).status_code == 400
    assert client.get(ORG, {"cursor": "live.1"}).status_code == 400
    assert api(alpha_user).get(OWN, {"person": str(alpha_admin.pk)}).status_code == 400


def test_a_page_costs_the_same_for_any_number(api, many, alpha_admin) -> None:
    client, costs = api(alpha_admin), []
    for _ in range(2):
        many(alpha_admin, 60)
        with CaptureQueriesContext(connection) as statements:
            client.get(ORG, {"limit": 50})
        costs.append(len(statements))
    assert costs[0] == costs[1]


def test_html_pages(many, alpha_admin, alpha_user) -> None:
    many(alpha_user, 101)
    for person, first, listed in (
        (alpha_user, PAGE, f"{PAGE}connections/"),
        (alpha_admin, f"{PAGE}organisation/", f"{PAGE}organisation/connections/"),
    ):
        client = Client(raise_request_exception=False)
        client.force_login(person.user)
        shown = client.get(first).content.decode()
        assert "Client 100" in shown
        assert "Client 000" not in shown
        assert f'<a href="{listed}">All connected clients</a>' in shown
        page = client.get(listed).content.decode()
        last = page
        while older := re.findall(r'href="(\?cursor=[^"]*)" rel="next"', last):
            last = client.get(listed + older[0]).content.decode()
        assert "Client 000" in last
        assert "Client 001" not in page
        assert client.get(f"{listed}?cursor=odd").status_code == 404
    member = Client()
    member.force_login(alpha_user.user)
    assert member.get(f"{PAGE}organisation/connections/").status_code == 403


@pytest.mark.parametrize("number", [1, 40])
def test_revoke_all_takes_the_same_statements(
    api, many, issue, alpha_admin, alpha_user, number
) -> None:
    for made in many(alpha_user, number):
        issue(alpha_user, connection=made)
    issue(alpha_user)
    issue_host_token(alpha_user)
    with CaptureQueriesContext(connection) as statements:
        answer = api(alpha_admin).post("/api/org/tokens/revoke/", {"all": True}, format="json")
    assert answer.json()["revoked"] == number + 2
    changes = [each["sql"].split()[1] for each in statements if each["sql"].startswith("UPDATE")]
    assert len(changes) == len(set(changes)) == 3
    with in_organisation(alpha_admin.org_id):
        assert not Token.objects.filter(revoked_at=None).exists()
        assert not Connection.objects.filter(ended_at=None).exists()
        event = Event.objects.get()
    assert event.detail == f"all of the organisation: 2 tokens, {number} connections"


def test_revoke_all_of_a_person_leaves_those_of_others(
    api, many, alpha_admin, alpha_user, connection_of
) -> None:
    many(alpha_admin, 1)
    many(alpha_user, 1)
    body = {"owner": str(alpha_user.pk)}
    answer = api(alpha_admin).post("/api/org/tokens/revoke/", body, format="json")
    assert answer.json()["revoked"] == 1
    assert connection_of(alpha_user).status_reason == f"Ended by {alpha_admin.user.email}."
    assert connection_of(alpha_admin).status == "active"


def test_revoke_all_ends_what_is_not_fetched_yet(api, ask, alpha_admin, alpha_user) -> None:
    url = approve(alpha_user, ask().pk, scopes=["*:read"], days=30)
    api(alpha_admin).post("/api/org/tokens/revoke/", {"all": True}, format="json")
    code = find_code(re.search(r"code=([^&]*)", url)[1])
    with pytest.raises(NotGranted):
        redeem_code(code)


def test_access_tokens_do_not_count_for_the_cap(connect, alpha_user, settings) -> None:
    settings.PAT_TOKENS_MAX_LIVE = 2
    for name in ("Laptop", "Desk"):
        connect(alpha_user)
        create_token(alpha_user, name=name, scopes=[], expires_at=None)
    with pytest.raises(TooManyTokens):
        create_token(alpha_user, name="Phone", scopes=[], expires_at=None)


def test_cap_on_live_connections(connect, ask, api, alpha_user, beta_user, many, settings) -> None:
    settings.PAT_TOKENS_MAX_LIVE = 2
    first, _ = many(alpha_user, 2)
    with pytest.raises(NotAllowed, match="2 live connections at most"):
        connect(alpha_user)
    asked = f"/api/profile/tokens/authorizations/{ask().pk}/"
    assert "Disconnect one" in api(alpha_user).get(asked).json()["denial"]
    connect(beta_user)
    end_by_id(first.pk, by=alpha_user)
    connect(alpha_user)


def test_consents_that_no_client_fetched_count_while_they_may(ask, alpha_user, settings) -> None:
    settings.PAT_TOKENS_MAX_LIVE = 1
    approve(alpha_user, ask().pk, scopes=["*:read"], days=30)
    with pytest.raises(NotAllowed):
        approve(alpha_user, ask().pk, scopes=["*:read"], days=30)
    with in_organisation(alpha_user.org_id):
        Connection.objects.update(idle_expires_at=timezone.now())
    approve(alpha_user, ask().pk, scopes=["*:read"], days=30)


@pytest.mark.django_db(transaction=True)
def test_cap_holds_for_consents_at_once(ask, alpha_user, settings) -> None:
    settings.PAT_TOKENS_MAX_LIVE = 1
    ready = Barrier(2)

    def agree(pk) -> bool:
        try:
            ready.wait(20)
            approve(alpha_user, pk, scopes=["*:read"], days=30)
        except NotAllowed:
            return False
        else:
            return True
        finally:
            close_old_connections()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(agree, [ask().pk, ask().pk])) == [False, True]


@pytest.mark.parametrize("field", ["expires_at", "idle_expires_at"])
def test_no_expiry_that_can_not_be_read(many, alpha_user, field) -> None:
    [made] = many(alpha_user, 1)
    with (
        in_organisation(alpha_user.org_id),
        pytest.raises(IntegrityError, match="pat_tokens_connection_expiry"),
        transaction.atomic(),
    ):
        Connection.objects.filter(pk=made.pk).update(**{field: EXPIRY_CEILING})


def test_access_token_is_not_revoked_as_a_token(connect, api, alpha_admin) -> None:
    """Its connection would make the next one."""
    connect(alpha_admin)
    with in_organisation(alpha_admin.org_id):
        token = Token.objects.get()
    for path in ("/api/org/tokens/", "/api/profile/tokens/"):
        assert api(alpha_admin).delete(f"{path}{token.pk}/").status_code == 404


def test_log_of_a_connection(connect, api, alpha_admin, connection_of) -> None:
    connect(alpha_admin)
    made = connection_of(alpha_admin)
    client = api(alpha_admin)
    client.delete(f"{OWN}{made.pk}/")
    for query, kinds in (
        ({"token": str(made.pk)}, ["disconnected", "connected"]),
        ({"kind": "connected"}, ["connected"]),
    ):
        rows = client.get("/api/org/tokens/events/", query).json()["events"]
        assert [row["kind"] for row in rows] == kinds
    assert "disconnected" in client.get("/api/org/tokens/events/csv/").content.decode()
