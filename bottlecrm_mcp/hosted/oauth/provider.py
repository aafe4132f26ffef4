"""What the SDK's handlers ask of an authorization server, answered by `pat_tokens`."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, TypeVar

from mcp.server.auth.provider import (
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    RefreshToken,
    TokenError,
)
from mcp.shared.auth import InvalidRedirectUriError, OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.gateway.in_process.live_connection import ensure_live_connection
from bottlecrm_mcp.hosted import thread_pool
from bottlecrm_mcp.hosted.oauth.documents import NotFetched, fetch_document
from pat_tokens import oauth
from pat_tokens.mcp_endpoint import current_source
from pat_tokens.oauth import token_settings

logger = logging.getLogger("bottlecrm_mcp")

T = TypeVar("T")

# base64url of a SHA-256, without padding.
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_STATE = 4096
# How long a document that could not be fetched is not asked for again.
RETRY = timedelta(minutes=10)
FETCHES_PER_MINUTE, FETCHES_IN_ALL = 10, 60

# Why the client of the current request can't be used, for the page that says so.
client_fault: ContextVar[str] = ContextVar("client_fault", default="")


async def in_pool(work: Callable[[], T]) -> T:
    """Database work on a pool thread, in time. Raises `pool.Busy` and `pool.Overdue`."""

    def ready() -> T:
        ensure_live_connection()
        return work()

    return await thread_pool.in_pool_within(ready, Deadline(mcp_settings().CALL_SECONDS))


class KnownClient(OAuthClientInformationFull):
    """A client by its own rules: any port of a loopback redirect, and scopes for all."""

    host: str = ""

    @classmethod
    def of(cls, client: oauth.Client) -> KnownClient:
        return cls(
            client_id=client.client_id,
            client_name=client.name,
            host=client.host,
            redirect_uris=[AnyUrl(each) for each in client.redirect_uris],
            token_endpoint_auth_method="none",  # noqa: S106 (no password)
        )

    def validate_redirect_uri(self, redirect_uri: AnyUrl | None) -> AnyUrl:
        registered = [str(AnyUrl(str(each))) for each in self.redirect_uris or ()]
        if redirect_uri is not None and oauth.allows_redirect(registered, str(redirect_uri)):
            return redirect_uri
        if redirect_uri is None:
            return super().validate_redirect_uri(None)
        raise InvalidRedirectUriError("The redirect_uri is none of those that the client has.")

    def validate_scope(self, requested_scope: str | None) -> list[str] | None:
        # The person decides; what is not known here is left out (RFC 6749, section 3.3).
        return oauth.requested_scopes(requested_scope)


class HeldCode(AuthorizationCode):
    row: Any


class HeldRefreshToken(RefreshToken):
    row: Any


class Provider:
    """Clients, codes and tokens of this CRM.

    Of the SDK's `OAuthAuthorizationServerProvider` it has what the handlers for authorization and
    tokens use. Registration and revocation are endpoints of our own.
    """

    # Where the authorization that this was made for goes on.
    consent_page = ""

    async def get_client(self, client_id: str) -> KnownClient | None:
        client = await in_pool(lambda: oauth.find_client(client_id))
        return KnownClient.of(client) if client else None

    async def authorize(
        self, client: OAuthClientInformationFull, params: AuthorizationParams
    ) -> str:
        """The consent page of a request that is in order."""
        assert isinstance(client, KnownClient)  # noqa: S101 (what get_client gives)
        if not CHALLENGE.fullmatch(params.code_challenge):
            raise AuthorizeError("invalid_request", "code_challenge is not that of S256.")
        if not is_ours(params.resource):
            raise AuthorizeError("invalid_target", f"The resource is {token_settings.resource}.")
        if len(params.state or "") > MAX_STATE or "\0" in (params.state or ""):
            raise AuthorizeError("invalid_request", "The state is too long, or no text.")
        request = await in_pool(
            lambda: oauth.keep_request(
                client_id=client.client_id,
                client_name=client.client_name,
                client_host=client.host,
                redirect_uri=str(params.redirect_uri),
                names_redirect=params.redirect_uri_provided_explicitly,
                code_challenge=params.code_challenge,
                resource=token_settings.resource,
                scopes=params.scopes or oauth.requested_scopes(None),
                state=params.state,
            )
        )
        self.consent_page = oauth.consent_url(request.pk)
        return self.consent_page

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> HeldCode | None:
        row = await in_pool(lambda: oauth.find_code(authorization_code))
        if row is None:
            return None
        return HeldCode(
            code="",
            scopes=list(row.connection.scopes),
            expires_at=row.expires_at.timestamp(),
            client_id=row.connection.client_id,
            code_challenge=row.code_challenge,
            redirect_uri=AnyUrl(row.redirect_uri),
            redirect_uri_provided_explicitly=row.names_redirect,
            row=row,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: HeldCode
    ) -> OAuthToken:
        return await _granted(lambda: oauth.redeem_code(authorization_code.row))

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> HeldRefreshToken | None:
        row = await in_pool(lambda: oauth.find_refresh_token(refresh_token))
        if row is None:
            return None
        return HeldRefreshToken(
            token="",
            client_id=row.connection.client_id,
            scopes=oauth.on_wire(row.connection.scopes),
            expires_at=int(row.expires_at.timestamp()),
            row=row,
        )

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: HeldRefreshToken, scopes: list[str]
    ) -> OAuthToken:
        return await _granted(lambda: oauth.refresh(refresh_token.row))


async def _granted(work: Callable[[], oauth.Grant]) -> OAuthToken:
    try:
        grant = await in_pool(work)
    except oauth.NotGranted as refusal:
        raise TokenError("invalid_grant", str(refusal)) from refusal
    return OAuthToken(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_in=grant.expires_in,
        scope=" ".join(oauth.on_wire(grant.scopes)),
    )


def is_ours(resource: str | None) -> bool:
    """Whether a token for this resource is one for /mcp; older clients name none."""
    return resource is None or resource.removesuffix("/") == token_settings.resource


class FetchingProvider(Provider):
    """For the authorization endpoint, the one place where a client may be met first."""

    transport: Any = None

    def __init__(self) -> None:
        self._met: dict[str, KnownClient | None] = {}

    async def get_client(self, client_id: str) -> KnownClient | None:
        # The handler asks again for its error answers.
        if client_id not in self._met:
            self._met[client_id] = await self._find(client_id)
        return self._met[client_id]

    async def _find(self, client_id: str) -> KnownClient | None:
        if not oauth.document_host(client_id) or client_id in token_settings.oauth_clients:
            return await super().get_client(client_id)
        known = await in_pool(lambda: oauth.find_client(client_id))
        if known is None or not oauth.is_fresh(known):
            known = await self._fetched(client_id)
        return KnownClient.of(known) if known else None

    async def _fetched(self, client_id: str) -> oauth.Client | None:
        try:
            if await in_pool(_too_many_fetches):
                raise NotFetched("too many documents were asked for; try again in a minute")
            document, lifetime = await fetch_document(client_id, self.transport)
            return await in_pool(lambda: oauth.keep_document(client_id, document, lifetime))
        except (NotFetched, oauth.BadClient) as problem:
            host = oauth.document_host(client_id)
            logger.warning("The client document of %s can't be used: %s", host, problem)
            client_fault.set(f"The client's document can't be used: {problem}")
        return await in_pool(lambda: oauth.keep_known(client_id, RETRY))


def _too_many_fetches() -> bool:
    network = oauth.network_of(current_source().address)
    mine = oauth.is_over(f"documents:{network}", FETCHES_PER_MINUTE, 60)
    return mine or oauth.is_over("documents", FETCHES_IN_ALL, 60)
