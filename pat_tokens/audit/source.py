"""Source of the request that is being served, for last use and the event log."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address

from django.http import HttpRequest
from rest_framework.settings import api_settings

from pat_tokens import secret as token_secret

CLIENT_LENGTH = 100


@dataclass(frozen=True)
class Source:
    address: str | None = None
    client: str = ""


_current: ContextVar[Source] = ContextVar("source", default=Source())  # noqa: B039 (frozen)


def current_source() -> Source:
    """An empty `Source` outside of `coming_from`."""
    return _current.get()


@contextmanager
def coming_from(source: Source) -> Iterator[None]:
    """What is recorded within the block is said to come from this source."""
    token = _current.set(source)
    try:
        yield
    finally:
        _current.reset(token)


def source_of(request: HttpRequest) -> Source:
    """The client's address, and as much of its User-Agent as is kept."""
    client = storable(request.META.get("HTTP_USER_AGENT", ""))
    return Source(_address(request.META), client[:CLIENT_LENGTH])


def storable(said: str) -> str:
    """What a client says, without what a database can't hold and without the secret of a token."""
    text = said if said.isprintable() else "".join(filter(str.isprintable, said))
    return token_secret.redacted(text)


def _address(meta: dict[str, str]) -> str | None:
    """The client, or what the outermost trusted proxy says of it (DRF's NUM_PROXIES)."""
    candidate = meta.get("REMOTE_ADDR", "")
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
    # What is left of our own proxies' entries was written by the client, who may lie.
    if api_settings.NUM_PROXIES and forwarded != [""]:
        candidate = forwarded[-min(api_settings.NUM_PROXIES, len(forwarded))]
    try:
        return str(ip_address(candidate.strip()))
    except ValueError:
        return None
