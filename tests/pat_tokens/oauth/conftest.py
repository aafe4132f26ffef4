from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache

from pat_tokens.models import AuthorizationRequest, Connection
from pat_tokens.oauth.consent import approve
from pat_tokens.oauth.grants import Grant, find_code, redeem_code
from pat_tokens.oauth.requests import keep_request
from pat_tokens.rls import in_organisation

ISSUER = "https://crm.example.com"


@pytest.fixture(autouse=True)
def _issuer(settings: Any) -> None:
    settings.PAT_TOKENS_ISSUER = ISSUER
    cache.clear()


@pytest.fixture
def ask(db: None) -> Callable[..., AuthorizationRequest]:
    """What a client asks for, pending."""

    def keep(**changes: Any) -> AuthorizationRequest:
        asked = {
            "client_id": "https://claude.ai/client.json",
            "client_name": "Claude",
            "client_host": "claude.ai",
            "redirect_uri": "https://claude.ai/callback",
            "names_redirect": True,
            "code_challenge": "x" * 43,
            "resource": f"{ISSUER}/mcp",
            "scopes": ["*:read", "*:write"],
            "state": "xyz",
        }
        return keep_request(**{**asked, **changes})

    return keep


@pytest.fixture
def connect(ask: Callable[..., AuthorizationRequest]) -> Callable[..., Grant]:
    """A connection of this person, and its first tokens."""

    def make(owner: Any, scopes: tuple[str, ...] = ("*:read",), days: int = 90) -> Grant:
        url = approve(owner, ask().pk, scopes=list(scopes), days=days)
        [code] = parse_qs(urlsplit(url).query)["code"]
        found = find_code(code)
        assert found is not None
        return redeem_code(found)

    return make


@pytest.fixture
def connection_of() -> Callable[[Any], Connection]:
    """The one connection of a person, as the database has it now."""

    def read(owner: Any) -> Connection:
        with in_organisation(owner.org_id):
            return Connection.objects.governed().get(owner=owner)

    return read


@pytest.fixture
def later() -> Callable[..., None]:
    """Moves a person's connections, as if so much time had gone by."""

    def move(owner: Any, **fields: Any) -> None:
        with in_organisation(owner.org_id):
            Connection.objects.filter(owner=owner).update(**fields)

    return move
