"""Stand-in secrets: requests made in this process as a token whose own secret nobody here has."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from pat_tokens import secret as token_secret

_digests: ContextVar[Mapping[str, str] | None] = ContextVar("stand_ins", default=None)


@contextmanager
def stand_in_for(digest: str) -> Iterator[str]:
    """A secret that stands for the one with this digest, in this context and for the block only."""
    secret = token_secret.generate()
    kept = _digests.set({**(_digests.get() or {}), secret: digest})
    try:
        yield secret
    finally:
        _digests.reset(kept)


def digest_of(secret: str) -> str:
    """The digest that a secret is looked up by."""
    return (_digests.get() or {}).get(secret) or token_secret.digest(secret)
