"""The one way to a token before its organisation is known: presenting its digest."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# Named in the policies of migration 0001.
DIGEST_VARIABLE = "pat_tokens.digest"


@contextmanager
def presenting(digest: str) -> Iterator[None]:
    """Open the row with this digest to SELECT and UPDATE for the length of the block."""
    commits_on_exit = transaction.get_autocommit()
    with transaction.atomic():
        _set_local(digest)
        yield
        # The variable lives as long as the transaction, which may not end with the block. (An
        # exception needs no clearing: rolling back restores what was before.)
        if not commits_on_exit:
            _set_local("")


def _set_local(digest: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [DIGEST_VARIABLE, digest])
