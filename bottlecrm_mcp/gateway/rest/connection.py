"""HTTP connection to the CRM's REST API with one token: bounded, never redirected, never stuck."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from socket import gaierror
from typing import Any, NamedTuple

import httpx2

from bottlecrm_mcp.gateway.base import OUTCOME_UNKNOWN, GatewayError, Reply
from bottlecrm_mcp.gateway.rest.urls import is_loopback

CONNECT_SECONDS = 10
ANSWER_SECONDS = 60
MOST_BYTES = 64_000_000
# Waits before a read is tried again.
RETRIES = (0.2, 0.6)
BUSY = (502, 503, 504)
REDIRECTS = (301, 302, 303, 307, 308)
# Refused before the CRM's view saved anything; after others a part may be left.
REFUSED_BEFOREHAND = (401, 403, 404, 405, 415, 429)

Parameters = Mapping[str, Any]


class TimedReply(NamedTuple):
    """A reply, and when the CRM gave it by its own clock."""

    reply: Reply
    at: datetime


class Connection:
    """One pooled client of a CRM, for any number of threads."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.base_url = base_url
        self.answer_seconds = answer_seconds
        self.most_bytes = most_bytes
        self._client = httpx2.Client(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx2.Timeout(answer_seconds, connect=CONNECT_SECONDS),
            follow_redirects=False,
            # A proxy is no way to this machine itself.
            trust_env=not is_loopback(base_url),
        )

    def __repr__(self) -> str:
        return f"<Connection to {self.base_url}>"

    def close(self) -> None:
        self._client.close()

    def read(self, path: str, parameters: Parameters | None = None) -> Reply:
        """GET, tried again where the way to the CRM failed. Raises `GatewayError`."""
        for wait in RETRIES:
            try:
                reply = self._send("GET", path, parameters).reply
            except (httpx2.NetworkError, httpx2.RemoteProtocolError) as problem:
                if _is_final(problem):
                    raise fault(problem, self.base_url) from problem
            except httpx2.HTTPError as problem:
                raise fault(problem, self.base_url) from problem
            else:
                if reply.status not in BUSY:
                    return reply
            time.sleep(wait)
        try:
            return self._send("GET", path, parameters).reply
        except httpx2.HTTPError as problem:
            raise fault(problem, self.base_url) from problem

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> TimedReply:
        """Send a write, once. Raises `GatewayError`."""
        try:
            return self._send(method, path, body=body)
        except httpx2.ConnectError as problem:
            raise fault(problem, self.base_url) from problem
        except httpx2.HTTPError as problem:
            said = fault(problem, self.base_url)
            raise GatewayError(said.code, f"{said} {OUTCOME_UNKNOWN}") from problem

    def _send(
        self,
        method: str,
        path: str,
        parameters: Parameters | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> TimedReply:
        url = self.base_url + path
        until = time.monotonic() + self.answer_seconds
        with self._client.stream(method, url, params=parameters or None, json=body) as response:
            content = b"".join(self._chunks(response, until))
        status = response.status_code
        if status in REDIRECTS:
            raise redirected(self.base_url, response)
        if status == 429:
            raise GatewayError("rate_limited", f"The CRM asks to slow down.{_wait(response)}")
        data = _decoded(content)
        if data is None and content and status < 400:
            raise not_the_crm(self.base_url)
        kept = method != "GET" and status >= 400 and status not in REFUSED_BEFOREHAND
        return TimedReply(Reply(status, data, maybe_kept=kept), _date(response))

    def _chunks(self, response: httpx2.Response, until: float) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self.most_bytes:
                raise GatewayError(
                    "too_large", "The CRM's answer is too large. Ask for fewer records."
                )
            if time.monotonic() > until:
                raise httpx2.ReadTimeout("the answer took too long")
            yield chunk


def fault(problem: httpx2.HTTPError, base_url: str) -> GatewayError:
    """What went wrong on the way, in one line without the token."""
    causes = list(_causes(problem))
    tls = next((each for each in causes if isinstance(each, ssl.SSLError)), None)
    if tls is not None:
        reason = getattr(tls, "verify_message", "") or tls.reason or "the handshake failed"
        return GatewayError("tls_failed", f"No trusted TLS connection to {base_url}: {reason}.")
    if any(isinstance(each, gaierror) for each in causes):
        return GatewayError("unreachable", f"The host of {base_url} was not found.")
    if isinstance(problem, httpx2.TimeoutException):
        return GatewayError("timeout", f"{base_url} did not answer in time.")
    if isinstance(problem, httpx2.ConnectError):
        return GatewayError("unreachable", f"No connection to {base_url}: nothing listens there.")
    return GatewayError(
        "unreachable", f"The connection to {base_url} broke ({type(problem).__name__})."
    )


def not_the_crm(base_url: str) -> GatewayError:
    return GatewayError(
        "not_the_crm",
        f"{base_url} answered with a web page, not with JSON. BCRM_BASE_URL must be the CRM's API "
        "host, which may differ from the web app's.",
    )


def redirected(base_url: str, response: httpx2.Response) -> GatewayError:
    target = response.request.url.join(response.headers.get("location", ""))
    return GatewayError(
        "redirected",
        f"{base_url} redirects to {target.scheme}://{target.host}, and a token is not sent on. If "
        "that is the CRM's API host, set BCRM_BASE_URL to it.",
    )


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def _is_final(problem: httpx2.HTTPError) -> bool:
    """Whether trying again would end the same way."""
    return any(isinstance(each, ssl.SSLError | gaierror) for each in _causes(problem))


def _wait(response: httpx2.Response) -> str:
    after = response.headers.get("retry-after", "")
    return f" Try again in {after} seconds." if after.isdigit() else ""


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def _date(response: httpx2.Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return datetime.now(UTC)
