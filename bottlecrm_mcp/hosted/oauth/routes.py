"""The endpoints of the authorization server, as one ASGI application in front of Django."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from mcp.server.auth.handlers.authorize import AuthorizationHandler
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import ClientAuthenticator
from mcp.shared.auth import OAuthClientMetadata
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, Router, request_response

from bottlecrm_mcp.hosted import thread_pool
from bottlecrm_mcp.hosted.body import Disconnected, read_body
from bottlecrm_mcp.hosted.errors import HttpError
from bottlecrm_mcp.hosted.oauth import metadata
from bottlecrm_mcp.hosted.oauth.provider import (
    FetchingProvider,
    Provider,
    client_fault,
    in_pool,
    is_ours,
)
from pat_tokens import oauth
from pat_tokens.mcp_endpoint import coming_from, current_source, source_of
from pat_tokens.oauth import token_settings

logger = logging.getLogger("bottlecrm_mcp")

MAX_BODY_BYTES = 32_768
MINUTE, HOUR = 60, 3600
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
# By address; failures only at the token endpoint, where a client's servers ask for many people.
AUTHORIZATIONS_PER_MINUTE = 60
FAILURES_PER_MINUTE = 30
REGISTRATIONS_PER_HOUR = 20
# Tells the doctor by which origin a request came, where that is not the issuer.
ARRIVED = "X-Arrived-As"

Endpoint = Callable[[Request], Awaitable[Response]]


def application() -> Router:
    """What answers the paths of `PATHS`."""
    return Router(
        [
            _discovery(metadata.RESOURCE_PATH, metadata.protected_resource),
            _discovery(f"{metadata.RESOURCE_PATH}/mcp", metadata.protected_resource),
            _discovery(metadata.SERVER_PATH, metadata.authorization_server),
            # No CORS: browsers are led here, and no script has anything to read here.
            Route(metadata.AUTHORIZE, _guarded(authorize), methods=["GET"]),
            _post(metadata.TOKEN, token),
            _post(metadata.DEFAULT_TOKEN, token),
            _post(metadata.REGISTER, register),
            _post(metadata.REVOKE, revoke),
        ],
        redirect_slashes=False,
    )


PATHS = frozenset(
    (
        metadata.RESOURCE_PATH,
        f"{metadata.RESOURCE_PATH}/mcp",
        metadata.SERVER_PATH,
        metadata.AUTHORIZE,
        metadata.TOKEN,
        metadata.DEFAULT_TOKEN,
        metadata.REGISTER,
        metadata.REVOKE,
    )
)


def _discovery(path: str, document: Callable[[], dict[str, Any]]) -> Route:
    async def answer(request: Request) -> Response:
        arrived = _arrived_as(request)
        odd = {ARRIVED: arrived} if arrived != token_settings.issuer else {}
        return JSONResponse(document(), headers={"Cache-Control": "max-age=300", **odd})

    return Route(path, _cors(request_response(answer), "GET"), methods=["GET", "OPTIONS"])


def _arrived_as(request: Request) -> str:
    """The origin as Django makes it out, behind whatever proxies there are."""
    inner = ASGIRequest(request.scope, BytesIO())
    try:
        return f"{inner.scheme}://{inner.get_host()}"
    except DisallowedHost:
        return f"{inner.scheme}://a host that ALLOWED_HOSTS does not name"


def _post(path: str, endpoint: Endpoint) -> Route:
    app = _read_first(request_response(_guarded(endpoint)))
    return Route(path, _cors(app, "POST"), methods=["POST", "OPTIONS"])


def _read_first(app: Any) -> Any:
    """The application, whose requests have bodies that came in time and are not too large."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await read_body(scope, receive, MAX_BODY_BYTES)
        except Disconnected:
            return
        except HttpError as refusal:
            headers = {name.decode(): value.decode() for name, value in refusal.headers}
            refused = _error("invalid_request", str(refusal), refusal.status, headers)
            await refused(scope, receive, send)
            return
        read = iter([{"type": "http.request", "body": body}])

        async def replay() -> Any:
            return next(read, None) or await receive()

        await app(scope, replay, send)

    return answer


def _cors(app: Any, method: str) -> Any:
    # For clients that are web pages; none of these endpoints takes cookies.
    return CORSMiddleware(
        app,
        allow_origins="*",
        allow_methods=[method, "OPTIONS"],
        allow_headers=["mcp-protocol-version"],
    )


def _guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose faults are answered as OAuth errors too."""

    async def answer(request: Request) -> Response:
        try:
            with coming_from(source_of(ASGIRequest(request.scope, BytesIO()))):
                return await endpoint(request)
        except (HTTPException, MultiPartException, UnicodeError):
            return _error("invalid_request", "The form can't be read.")
        except (DatabaseError, thread_pool.Busy, thread_pool.Overdue) as problem:
            logger.warning("OAuth: %s", type(problem).__name__)
            said = "The CRM's database does not answer; try again."
            return _error("temporarily_unavailable", said, 503, {"Retry-After": "1"})
        except Exception:
            logger.exception("An OAuth request failed")
            return _error("server_error", "The server failed on this request.", 500)

    return answer


def _error(
    error: str, description: str, status: int = 400, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {"error": error, "error_description": description}
    return JSONResponse(body, status, {**NO_STORE, **(headers or {})})


async def _is_over(name: str, most: int, seconds: int = MINUTE) -> bool:
    address = oauth.network_of(current_source().address)
    return await in_pool(lambda: oauth.is_over(f"oauth:{name}:{address}", most, seconds))


def _too_many(seconds: int = MINUTE) -> JSONResponse:
    said = "Too many requests; try again later."
    return _error("temporarily_unavailable", said, 429, {"Retry-After": str(seconds)})


async def authorize(request: Request) -> Response:
    """On to the consent page; errors go back to the client where its redirect can be trusted."""
    if await _is_over("authorize", AUTHORIZATIONS_PER_MINUTE):
        return _shown(request, _too_many())
    given = parse_qsl(request.url.query, keep_blank_values=True)
    names = [name for name, _ in given]
    if len(names) != len(set(names)):
        return _shown(request, _error("invalid_request", "A parameter is given twice."))
    # A missing method would mean plain (RFC 7636), which the SDK takes for S256.
    asked = {"code_challenge_method": "plain", **dict(given)}
    scope = {**request.scope, "query_string": urlencode(asked).encode()}
    provider: Any = FetchingProvider()
    response = await AuthorizationHandler(provider).handle(Request(scope))
    location = response.headers.get("Location", "")
    if not location:
        return _shown(request, response)
    if location != provider.consent_page:
        # Its own errors lack the issuer (RFC 9207).
        response.headers["Location"] = oauth.redirect_answer(location, iss=token_settings.issuer)
    return response


def _shown(request: Request, response: Response) -> Response:
    """An error of the authorization endpoint, as a page for those who look at it."""
    if "text/html" not in request.headers.get("Accept", ""):
        return response
    said = json.loads(bytes(response.body))
    text = client_fault.get() or said.get("error_description") or ""
    html, headers = oauth.error_page(text, said["error"])
    return HTMLResponse(html, response.status_code, headers)


async def token(request: Request) -> Response:
    """Codes and refresh tokens for access tokens, for this resource only."""
    form = await request.form()
    if not all(is_ours(str(each)) for each in form.getlist("resource")):
        return _error("invalid_target", f"The resource is {token_settings.resource}.")
    provider: Any = Provider()
    handler = TokenHandler(provider, ClientAuthenticator(provider))
    try:
        response: Response = await handler.handle(request)
    except oauth.TooManyRefreshes:
        return _too_many(HOUR)
    except oauth.AgentsStopped as stopped:
        # No refusal of the grant, after which a client would drop its refresh token.
        return _error("temporarily_unavailable", str(stopped), 503)
    # Others' failures at this address keep nobody's own code or token from being taken.
    if response.status_code >= 400 and await _is_over("failed", FAILURES_PER_MINUTE):
        return _too_many()
    return response


async def register(request: Request) -> Response:
    """RFC 7591: anybody may register a public client; what it says of itself is not believed."""
    if await _is_over("register", REGISTRATIONS_PER_HOUR, HOUR):
        return _too_many(HOUR)
    try:
        said = OAuthClientMetadata.model_validate(oauth.loads(await request.body()))
    except ValidationError as problem:
        where = ".".join(str(each) for each in problem.errors()[0]["loc"])
        what = problem.errors()[0]["msg"]
        return _error("invalid_client_metadata", f"{where}: {what}".removeprefix(": "))
    except ValueError as problem:
        return _error("invalid_client_metadata", f"The body is not JSON: {problem}")
    known = said.model_dump(mode="json", exclude_none=True)
    try:
        client = await in_pool(lambda: oauth.register_client(known))
    except oauth.BadClient as problem:
        return _error(problem.error, str(problem))
    body = {
        **known,
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name,
        # Whatever was asked for: there are public clients only (RFC 7591, section 3.2.1).
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }
    return JSONResponse(body, 201, NO_STORE)


async def revoke(request: Request) -> Response:
    """RFC 7009; the SDK's handler requires a secret, which public clients have not."""
    form = await request.form()
    presented, client_id = form.get("token"), form.get("client_id")
    if not isinstance(presented, str) or not isinstance(client_id, str):
        return _error("invalid_request", "Send token and client_id.")
    await in_pool(lambda: oauth.end_presented(presented, client_id))
    return Response(status_code=200, headers=NO_STORE)
