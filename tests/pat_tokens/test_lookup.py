"""The look-up that every request with a token begins with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from pat_tokens import lookup
from pat_tokens import secret as token_secret
from pat_tokens.lookup import look_up
from pat_tokens.models import Token
from pat_tokens.resolver import RevokedToken, resolve_token
from pat_tokens.services.policy import change_policy
from tests.bottlecrm_mcp.doctor.pooler import pooling
from tests.programs import needs_pgbouncer
from tests.round_trips import round_trips

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def secret(alpha_admin, issue) -> str:
    change_policy(alpha_admin, agents="read_only", max_lifetime_days=30, client_hosts=["a.test"])
    _, secret = issue(alpha_admin, scopes=["leads:read"])
    return secret


def values(token: Token) -> list[dict[str, object]]:
    """Of the row and of all that came with it."""
    rows = (token, token.owner, token.owner.user, token.owner.org)
    return [{k: v for k, v in vars(each).items() if k != "_state"} for each in rows]


def test_one_round_trip(secret) -> None:
    resolve_token(secret)
    with round_trips() as trips:
        token = resolve_token(secret)
        assert token.org.name == "Alpha"
        assert token.policy_agents == "read_only"
    assert trips.count == 1


def test_same_token_in_a_transaction_and_by_the_orm(secret) -> None:
    digest = token_secret.digest(secret)
    alone = look_up(digest)
    with transaction.atomic():
        within = look_up(digest)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pat_tokens.digest', %s, false)", [digest])
        tokens = Token.objects.governed().select_related("owner__user", "owner__org", "connection")
        plain = tokens.get(digest=digest)
        cursor.execute("SELECT set_config('pat_tokens.digest', '', false)")
    assert alone is not None
    assert within is not None
    assert values(alone) == values(within) == values(plain)


def test_nothing_stays_on_the_connection(secret) -> None:
    threshold = connection.connection.prepare_threshold
    assert look_up(token_secret.digest(secret)) is not None
    assert connection.connection.prepare_threshold == threshold
    assert not Token.objects.exists()


def test_revocation_counts_at_the_next_look(secret, org_context, alpha_admin) -> None:
    token = resolve_token(secret)
    with org_context(alpha_admin.org):
        token.revoke()
    with pytest.raises(RevokedToken):
        resolve_token(secret)


def test_migration_while_the_server_runs(secret) -> None:
    """PostgreSQL refuses what was prepared as soon as a column has another type."""
    digest = token_secret.digest(secret)
    assert look_up(digest) is not None
    change = "ALTER TABLE demo_crm_user ALTER COLUMN name TYPE varchar(%s)"
    with connection.cursor() as cursor:
        cursor.execute(change, [299])
        try:
            assert look_up(digest) is not None
        finally:
            cursor.execute(change, [255])


def test_host_that_discards_what_sessions_keep(secret) -> None:
    digest = token_secret.digest(secret)
    assert look_up(digest) is not None
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
        assert look_up(digest) is not None
    with round_trips() as trips:
        assert look_up(digest) is not None
    assert trips.count == 1


def test_without_a_pool(secret, monkeypatch) -> None:
    connection.close()
    monkeypatch.delitem(connection.settings_dict["OPTIONS"], "pool")
    try:
        for _ in range(2):
            assert look_up(token_secret.digest(secret)) is not None
    finally:
        connection.close()


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_behind_pgbouncer(secret, tmp_path, monkeypatch, mode) -> None:
    """Sessions are lent on with what was prepared in them, or without it."""
    connection.close()
    monkeypatch.delitem(connection.settings_dict["OPTIONS"], "pool")
    with pooling(tmp_path, connection.settings_dict, mode, "DISCARD ALL") as port:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", port)
        other, held = connection.copy(), connection.copy()
        try:
            for _ in range(3):
                for each in (connection, other):
                    monkeypatch.setattr(lookup, "connection", each)
                    each.ensure_connection()
                    assert look_up(token_secret.digest(secret)) is not None
                    for _ in range(3):
                        with _begun(held):
                            assert look_up(token_secret.digest(secret)) is not None
                        assert look_up(token_secret.digest(secret)) is not None
                connection.close()
        finally:
            for each in (connection, other, held):
                each.close()


@contextmanager
def _begun(connection: Any) -> Iterator[None]:
    """While it is in a transaction, a pooler gives its session to nobody else."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1")
        yield
        cursor.execute("COMMIT")
