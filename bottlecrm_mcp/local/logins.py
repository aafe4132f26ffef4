"""Logins of the local server: tokens that `bcrm-mcp login` got, kept in a file of their owner's."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import httpx2

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.rest.urls import is_loopback

# Refreshed so long before its end, in seconds.
MARGIN = 60


@dataclass(frozen=True)
class Login:
    """What a person agreed to, for one CRM. `expires_at` is in seconds since the epoch."""

    client_id: str
    token_endpoint: str
    resource: str
    expires_at: float
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    # Empty where the CRM names none, and in files of earlier versions.
    revocation_endpoint: str = ""


def load(base_url: str) -> Login | None:
    """The stored login at this address; None if there is none that can be read."""
    try:
        return Login(**json.loads(_path(base_url).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def save(base_url: str, login: Login) -> None:
    """Put it in the place of an earlier one at once, readable by its owner only."""
    path = _path(base_url)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Such files have mode 0600 from the start.
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(login), file)
    Path(name).replace(path)


def forget(base_url: str) -> None:
    """Remove the stored login, if there is one."""
    with suppress(FileNotFoundError):
        _path(base_url).unlink()


async def end(login: Login) -> bool:
    """End the connection at the CRM (RFC 7009); false if the CRM did not confirm that."""
    if not login.revocation_endpoint:
        return False
    form = {"token": login.refresh_token, "client_id": login.client_id}
    url = login.revocation_endpoint
    try:
        async with httpx2.AsyncClient(timeout=15, trust_env=not is_loopback(url)) as client:
            return (await client.post(url, data=form)).status_code == 200
    except httpx2.HTTPError:
        return False


def _path(base_url: str) -> Path:
    if sys.platform == "win32":
        root = Path(os.environ.get("APPDATA") or Path.home())
    else:
        root = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return root / "bcrm-mcp" / f"{quote(base_url, safe='')}.json"


class SignedIn(httpx2.Auth):
    """Sends the access token, and gets the next one when it is due or refused."""

    requires_response_body = False

    def __init__(self, base_url: str, login: Login) -> None:
        self._base_url = base_url
        self._login = login

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        if self._is_due() and not self._renewed_elsewhere():
            self._keep(await self._asked((yield self._refresh())))
        self._sign(request)
        response = yield request
        if response.status_code != 401:
            return
        if not self._renewed_elsewhere():
            self._keep(await self._asked((yield self._refresh())))
        self._sign(request)
        yield request

    def _is_due(self) -> bool:
        return time.time() > self._login.expires_at - MARGIN

    def _renewed_elsewhere(self) -> bool:
        """Another process of this person's may have the next token: the old one ends them all."""
        stored = load(self._base_url)
        if stored is None or stored == self._login:
            return False
        self._login = stored
        return not self._is_due()

    def _sign(self, request: httpx2.Request) -> None:
        request.headers["Authorization"] = f"Bearer {self._login.access_token}"

    def _refresh(self) -> httpx2.Request:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._login.refresh_token,
            "client_id": self._login.client_id,
            "resource": self._login.resource,
        }
        return httpx2.Request("POST", self._login.token_endpoint, data=form)

    async def _asked(self, response: httpx2.Response) -> dict[str, object]:
        """The tokens in an answer. Raises `GatewayError`, with the CRM's reason."""
        said = await _json(response)
        if response.status_code in (400, 401):
            reason = said.get("error_description") or "no reason is given."
            raise GatewayError(
                "unauthorized",
                f"The sign-in to {self._base_url} can't go on: {reason} To sign in again: "
                "bcrm-mcp login",
            )
        if response.status_code != 200:
            raise GatewayError(
                "crm_error", f"{self._base_url} gives no token (status {response.status_code})."
            )
        return said

    def _keep(self, tokens: dict[str, object]) -> None:
        self._login = replace(
            self._login,
            access_token=str(tokens["access_token"]),
            refresh_token=str(tokens["refresh_token"]),
            expires_at=time.time() + float(str(tokens["expires_in"])),
        )
        save(self._base_url, self._login)


async def _json(response: httpx2.Response) -> dict[str, object]:
    """The object in an answer, empty where it is none."""
    try:
        said = json.loads(await response.aread())
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
