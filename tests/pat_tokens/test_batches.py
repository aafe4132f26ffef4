"""What is left of connections is removed in batches, past what somebody holds."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pat_tokens import batches
from pat_tokens.models import Client, Connection, RefreshToken, Token
from pat_tokens.oauth.clients import forget_unused, register
from pat_tokens.oauth.expiry import remove_leftovers
from pat_tokens.rls import in_organisation

LONG_AGO = timezone.now() - timedelta(days=400)
DESK = {"client_name": "Desk", "redirect_uris": ["https://desk.example.com/callback"]}


@pytest.fixture
def leftovers(alpha_user):
    """Connections of a year ago with a token each, and refresh tokens."""

    def make(number: int) -> list[Connection]:
        org_id = alpha_user.org_id
        made = [
            Connection(
                owner=alpha_user,
                org_id=org_id,
                client_id="desk",
                client_name="Desk",
                redirect_host="desk.example.com",
                resource="https://crm.example.com/mcp",
                redeemed_at=LONG_AGO,
                expires_at=LONG_AGO,
                idle_expires_at=LONG_AGO,
            )
            for _ in range(number)
        ]
        refresh_tokens = [
            RefreshToken(connection=each, org_id=org_id, digest=str(each.pk), expires_at=LONG_AGO)
            for each in made
        ]
        with in_organisation(org_id):
            Connection.objects.bulk_create(made)
            RefreshToken.objects.bulk_create(refresh_tokens)
        return made

    return make


def left(owner) -> tuple[int, int]:
    with in_organisation(owner.org_id):
        return Connection.objects.count(), RefreshToken.objects.count()


def test_leftovers_go_in_batches(leftovers, alpha_user, monkeypatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 10)
    leftovers(25)
    with CaptureQueriesContext(connection) as statements:
        remove_leftovers(alpha_user.org_id)
    assert left(alpha_user) == (0, 0)
    deleted = [each["sql"] for each in statements if each["sql"].startswith("DELETE")]
    assert max(each.count("::uuid") for each in deleted) == 10


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_left_for_another_run(leftovers, alpha_user) -> None:
    held, *_ = leftovers(3)
    holding, go = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(connection), in_organisation(alpha_user.org_id):
            Connection.objects.select_for_update().get(pk=held.pk)
            holding.set()
            go.wait(30)

    with ThreadPoolExecutor(1) as pool:
        holds = pool.submit(hold)
        assert holding.wait(30)
        remove_leftovers(alpha_user.org_id)
        assert left(alpha_user)[0] == 1
        go.set()
        holds.result(30)
    remove_leftovers(alpha_user.org_id)
    assert left(alpha_user) == (0, 0)


def test_registration_removes_a_batch_at_most(db, monkeypatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 10)
    Client.objects.bulk_create(
        Client(client_id=str(each), name="Desk", created_at=LONG_AGO) for each in range(25)
    )
    register(DESK)
    assert Client.objects.count() == 16
    assert forget_unused() == 15
    assert Client.objects.count() == 1


def test_tokens_go_before_their_connection(leftovers, alpha_user, issue) -> None:
    [made] = leftovers(1)
    issue(alpha_user, connection=made, expires_at=LONG_AGO)
    issue(alpha_user)
    remove_leftovers(alpha_user.org_id)
    with in_organisation(alpha_user.org_id):
        assert Token.objects.filter(connection=None).count() == Token.objects.count() == 1
