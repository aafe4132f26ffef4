"""Client id metadata documents, fetched from the address that a client gives as its id.

Whoever opens the authorization endpoint says which address this server is to ask. So the name is
resolved once, an address that is not public is refused, and the connection goes to the address
that was looked at; no redirects, and little time and size.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx2

SECONDS = 5
MAX_BYTES = 16_384
# However long a host lets its document be kept.
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=1)
MAX_AGE = re.compile(r"max-age=(\d{1,9})", re.ASCII)
NAT64 = "64:ff9b::"

logger = logging.getLogger("bottlecrm_mcp")


class NotFetched(Exception):
    """There is no document to be had; the message says why."""


async def fetch_document(
    url: str, transport: httpx2.AsyncBaseTransport | None = None
) -> tuple[Any, timedelta]:
    """The JSON at an https URL and how long it may be kept. Raises `NotFetched`.

    `transport` stands in for the network, behind all the rules on where it may be asked.
    """
    try:
        async with asyncio.timeout(SECONDS):
            address = await _public_address(urlsplit(url).hostname or "")
            return await _get(url, address, transport)
    except TimeoutError as slow:
        raise NotFetched(f"it did not answer within {SECONDS} seconds") from slow
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as problem:
        raise NotFetched(f"the connection failed ({type(problem).__name__})") from problem


async def _public_address(host: str) -> str:
    found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    # One of several would do for an attacker.
    if not addresses or not all(is_public(each) for each in addresses):
        raise NotFetched("its host has no public address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address is one of the internet, also where it wraps another one."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is not None:
            return is_public(str(inner))
        if parsed.teredo is not None or str(parsed).startswith(NAT64):
            return False
    return parsed.is_global and not parsed.is_multicast


async def _get(
    url: str, address: str, transport: httpx2.AsyncBaseTransport | None
) -> tuple[Any, timedelta]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    pinned = httpx2.URL(url).copy_with(host=address)
    # Neither a proxy nor a .netrc of the environment; the certificate is the host's.
    client = httpx2.AsyncClient(
        transport=transport, trust_env=False, follow_redirects=False, timeout=SECONDS
    )
    headers = {"Host": host, "Accept": "application/json", "Accept-Encoding": "identity"}
    async with (
        client,
        client.stream(
            "GET", pinned, headers=headers, extensions={"sni_hostname": host}
        ) as response,
    ):
        if response.status_code != 200:
            raise NotFetched(f"it answered {response.status_code}")
        body = b""
        async for part in response.aiter_raw():
            body += part
            if len(body) > MAX_BYTES:
                raise NotFetched(f"it is larger than {MAX_BYTES} bytes")
        return _json(body), _lifetime(response.headers.get("Cache-Control", ""))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise NotFetched("it is not JSON") from problem


def _lifetime(cache_control: str) -> timedelta:
    said = MAX_AGE.search(cache_control)
    seconds = timedelta(seconds=int(said[1])) if said else timedelta(hours=1)
    return min(max(seconds, SHORTEST), LONGEST)
