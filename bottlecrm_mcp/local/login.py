"""`bcrm-mcp login`: the person signs in with a browser instead of copying a token."""

from __future__ import annotations

import asyncio
import sys
import time
import webbrowser
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.rest.urls import is_loopback
from bottlecrm_mcp.local.logins import Login, end, load, save
from bottlecrm_mcp.local.proxy import EVENT_STREAM, PATH, modern_request, request_headers

# How long the browser may take.
WAIT_SECONDS = 300
DONE = b"You are signed in; this window can be closed."


class Memory:
    """The SDK's TokenStorage, for one sign-in."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Callback:
    """Where the browser comes back to: a port of this machine, for one answer."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[AuthorizationCodeResult] = asyncio.Future()
        self.server: asyncio.Server | None = None

    async def listen(self) -> str:
        """The redirect URI, on a free port of the loopback."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}/callback"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode(errors="replace").split(" ")
        query = parse_qs(urlsplit(line[1]).query) if len(line) > 1 else {}
        said = {name: values[0] for name, values in query.items()}
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + DONE)
        await writer.drain()
        writer.close()
        if self._answer.done() or not {"code", "error"}.intersection(said):
            return
        if "error" in said:
            reason = said.get("error_description") or said["error"]
            self._answer.set_exception(GatewayError("denied", f"Nothing was allowed: {reason}"))
        else:
            result = AuthorizationCodeResult(
                code=said["code"], state=said.get("state"), iss=said.get("iss")
            )
            self._answer.set_result(result)

    async def wait(self) -> AuthorizationCodeResult:
        """What the browser brings. Raises `GatewayError` if it brings nothing in time."""
        try:
            return await asyncio.wait_for(self._answer, WAIT_SECONDS)
        except TimeoutError as slow:
            raise GatewayError("denied", "Nobody decided in the browser in time.") from slow


async def sign_in(base_url: str) -> None:
    """Let the person sign in and agree, and keep the tokens. Raises `GatewayError`."""
    callback = Callback()
    memory = Memory()
    try:
        metadata = OAuthClientMetadata(
            client_name="bcrm-mcp",
            redirect_uris=[await callback.listen()],  # type: ignore[list-item]  # pydantic's
            token_endpoint_auth_method="none",  # noqa: S106 (no password)
        )
        auth = OAuthClientProvider(base_url + PATH, metadata, memory, _open, callback.wait)
        await _ask(base_url, auth)
    except OAuthFlowError as problem:
        raise GatewayError("no_login", f"{base_url} lets nobody sign in: {problem}") from problem
    finally:
        if callback.server is not None:
            callback.server.close()
    tokens, client = memory.tokens, memory.client
    server = auth.context.oauth_metadata
    if tokens is None or client is None or server is None or not tokens.refresh_token:
        raise GatewayError("no_login", f"{base_url} wants no sign-in. Use a token: BCRM_TOKEN.")
    earlier = load(base_url)
    save(
        base_url,
        Login(
            client_id=client.client_id,
            token_endpoint=str(server.token_endpoint),
            resource=auth.context.get_resource_url(),
            expires_at=time.time() + (tokens.expires_in or 0),
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            revocation_endpoint=str(server.revocation_endpoint or ""),
        ),
    )
    if earlier is not None:
        await end(earlier)


async def _ask(base_url: str, auth: OAuthClientProvider) -> None:
    """A request that makes the endpoint ask for a token."""
    message = modern_request("server/discover", {})
    headers = {"Accept": f"application/json, {EVENT_STREAM}", **request_headers(message)}
    async with httpx2.AsyncClient(
        auth=auth, timeout=30, trust_env=not is_loopback(base_url)
    ) as client:
        try:
            response = await client.post(base_url + PATH, json=message, headers=headers)
        except httpx2.HTTPError as problem:
            raise GatewayError(
                "unreachable", f"{base_url} can't be reached ({type(problem).__name__})."
            ) from problem
    if response.status_code != 200:
        reason = _reason(response) or f"{PATH} answered {response.status_code}."
        raise GatewayError("no_login", f"{base_url} lets nobody in: {reason}")


def _reason(response: httpx2.Response) -> str:
    try:
        said = response.json()
    except ValueError:
        return ""
    reason = said.get("error") if isinstance(said, dict) else None
    return reason if isinstance(reason, str) else ""


async def _open(url: str) -> None:
    print(
        f"Your browser opens; if it doesn't, open this there:\n{url}", file=sys.stderr, flush=True
    )
    await asyncio.to_thread(webbrowser.open, url)
