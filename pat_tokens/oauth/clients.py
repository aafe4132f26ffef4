"""OAuth clients: registered by the operator, known by a document, or registered by themselves."""

import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.db.models import Q, QuerySet
from django.utils import timezone

from pat_tokens.batches import BATCH, delete_all, delete_some
from pat_tokens.conf import token_settings
from pat_tokens.http.shown_text import is_shown
from pat_tokens.models import Client
from pat_tokens.oauth import redirects
from pat_tokens.oauth.known_documents import KNOWN_DOCUMENTS

MAX_ID = 512
MAX_NAME = 60
MAX_REDIRECTS = 20
UNUSED = timedelta(days=1)
MOST_UNUSED = 10_000
# A person has so long to sign in and agree.
UNDERWAY = timedelta(minutes=15)
FORGOTTEN = timedelta(days=90)


class BadClient(Exception):
    """What a client says of itself can't be used; `error` is a code of RFC 7591."""

    def __init__(self, message: str, error: str = "invalid_client_metadata") -> None:
        super().__init__(message)
        self.error = error


def find_client(client_id: str) -> Client | None:
    """A client that is known here already; nothing is fetched."""
    if not _is_sane(client_id):
        return None
    if client_id in token_settings.oauth_clients:
        return _configured(client_id)
    stored: Client | None = Client.objects.filter(client_id=client_id).first()
    return stored


def _is_sane(client_id: str) -> bool:
    return 0 < len(client_id) <= MAX_ID and client_id.isascii() and client_id.isprintable()


def _configured(client_id: str) -> Client:
    about = token_settings.oauth_clients[client_id]
    host = urlsplit(token_settings.issuer).hostname or ""
    redirect_uris = list(about["redirect_uris"])
    return Client(client_id=client_id, name=about["name"], host=host, redirect_uris=redirect_uris)


def document_host(client_id: str) -> str | None:
    """The host that publishes the document of this id, or None if the id is no such URL."""
    if not _is_sane(client_id):
        return None
    try:
        parts = urlsplit(client_id)
        port = parts.port
    except ValueError:
        return None
    # Names with two labels at least: neither an address nor a name of the local network.
    host = parts.hostname or ""
    if parts.scheme != "https" or port is not None or "@" in parts.netloc or "#" in client_id:
        return None
    if "." not in host.strip(".") or host.rpartition(".")[2].isdecimal() or ":" in host:
        return None
    segments = parts.path.split("/")
    return host if len(parts.path) > 1 and not {".", ".."}.intersection(segments) else None


def is_fresh(client: Client) -> bool:
    """Whether the client's document need not be fetched again yet."""
    return client.stale_at is None or client.stale_at > timezone.now()


def keep_document(client_id: str, document: Any, lifetime: timedelta) -> Client:
    """Store what a client's document says. Raises `BadClient`."""
    said = described(document)
    if document.get("client_id") != client_id:
        raise BadClient("The document names another client_id than its own address.")
    methods = document.get("token_endpoint_auth_methods_supported")
    if not isinstance(methods, list):
        methods = [document.get("token_endpoint_auth_method", "none")]
    if "none" not in methods or "client_secret" in document:
        raise BadClient("Only public clients are served: token_endpoint_auth_method none.")
    for name, value in (("grant_types", "authorization_code"), ("response_types", "code")):
        if value not in document.get(name, [value]):
            raise BadClient(f"The document does not list {value} in {name}.")
    client, _ = Client.objects.update_or_create(
        client_id=client_id,
        defaults={
            **said,
            "host": document_host(client_id) or "",
            "stale_at": timezone.now() + lifetime,
        },
    )
    return client


def keep_known(client_id: str, lifetime: timedelta) -> Client | None:
    """What stands in for a document that could not be fetched: the last one, or our copy."""
    document = KNOWN_DOCUMENTS.get(client_id)
    if Client.objects.filter(client_id=client_id).update(stale_at=timezone.now() + lifetime):
        return find_client(client_id)
    return keep_document(client_id, document, lifetime) if document else None


def register(said: Mapping[str, Any]) -> Client:
    """A client that registers itself (RFC 7591). Raises `BadClient`."""
    delete_some(_unused())
    _make_room()
    client: Client = Client.objects.create(client_id=str(uuid4()), **described(said))
    return client


def _make_room() -> None:
    """Let the oldest go of more than anybody needs: a flood of them keeps nobody out."""
    unused = Client.objects.filter(last_used_at=None, created_at__lt=timezone.now() - UNDERWAY)
    surplus = unused.order_by("-created_at").values_list("pk", flat=True)[MOST_UNUSED:]
    delete_some(Client.objects.filter(pk__in=list(surplus[:BATCH])))


def described(said: Any) -> dict[str, Any]:
    """Name and redirects of a client, as they are kept. Raises `BadClient`."""
    if not isinstance(said, Mapping):
        raise BadClient("A JSON object is needed.")
    uris = said.get("redirect_uris")
    if not isinstance(uris, list) or not 0 < len(uris) <= MAX_REDIRECTS:
        raise BadClient(f"redirect_uris lists 1 to {MAX_REDIRECTS} URLs.", "invalid_redirect_uri")
    for uri in uris:
        problem = redirects.fault(uri) if isinstance(uri, str) else "it is not a string"
        if problem:
            raise BadClient(f"A redirect URI can't be used: {problem}.", "invalid_redirect_uri")
    return {"name": shown_name(said.get("client_name")), "redirect_uris": uris}


def shown_name(name: Any) -> str:
    """A name as it may be shown: one short line, without invisible and turning characters."""
    text = unicodedata.normalize("NFKC", name) if isinstance(name, str) else ""
    kept = (" " if each.isspace() else each for each in text)
    visible = "".join(each for each in kept if is_shown(each))
    return " ".join(visible.split())[:MAX_NAME].strip() or "A client without a name"


def record_use(client_id: str) -> None:
    """At most once a day: it only keeps the client from being forgotten."""
    now = timezone.now()
    due = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(days=1))
    Client.objects.filter(due, client_id=client_id).update(last_used_at=now)


def forget_unused() -> int:
    """Remove clients that nobody agreed to within a day, or used for three months."""
    return delete_all(_unused())


def _unused() -> QuerySet[Client]:
    now = timezone.now()
    never = Q(last_used_at=None, created_at__lt=now - UNUSED)
    return Client.objects.filter(never | Q(last_used_at__lt=now - FORGOTTEN))
