"""Row-level security: the PostgreSQL settings that it reads, for the length of a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction

# Named in the policies of the migrations; the host's own policies read the first.
ORG_VARIABLE = "app.current_org"
DIGEST_VARIABLE = "pat_tokens.digest"
PRUNE_VARIABLE = "pat_tokens.prune_before"


@contextmanager
def in_organisation(org_id: Any) -> Iterator[None]:
    """Run the block in a transaction that sees this organisation's rows."""
    with _local(ORG_VARIABLE, str(org_id)):
        yield


@contextmanager
def presenting(digest: str) -> Iterator[None]:
    """Open the row with this digest to SELECT and UPDATE for the length of the block.

    The one way to a token before its organisation is known.
    """
    with _local(DIGEST_VARIABLE, digest):
        yield


@contextmanager
def pruning(before: datetime) -> Iterator[None]:
    """Open the entries of the event log from before then to DELETE, for the length of the block.

    Those of the last 30 days stay closed whatever is asked for.
    """
    with _local(PRUNE_VARIABLE, before.isoformat()):
        yield


@contextmanager
def _local(name: str, value: str) -> Iterator[None]:
    commits_on_exit = transaction.get_autocommit()
    with transaction.atomic():
        before = _exchange(name, value)
        yield
        # The variable lives as long as the transaction, which may not end with the block. (An
        # exception needs no clearing: rolling back restores what was before.)
        if not commits_on_exit:
            _exchange(name, before)


def _exchange(name: str, value: str) -> str:
    if connection.vendor != "postgresql":
        # A host's own tests; the deployment check refuses any other database.
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting(%s, true), set_config(%s, %s, true)", [name, name, value]
        )
        before = cursor.fetchone()[0]
    return before or ""
