"""Signed confirmations: proof that this caller was shown this change a short while ago."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LIFETIME = 600  # seconds
# Characters that tell two confirmations of the same change apart: each counts once.
NONCE = 8
_SHAPE = re.compile(r"[0-9]{1,12}\.[A-Za-z0-9_=-]{1,72}")


class Seal:
    """Issues and checks confirmation strings. The first key signs, all of them verify.

    `spend` notes that a confirmation is used up, for its lifetime in seconds, and answers whether
    it was not used before. It has to be shared by all processes that share the keys.
    """

    def __init__(
        self,
        keys: Sequence[bytes],
        spend: Callable[[str, int], bool] | None = None,
        use: Sequence[str] = (),
    ) -> None:
        self.keys = tuple(keys)
        self._spend = spend or SpentHere()
        self._use = tuple(use)

    def only_for(self, *use: str) -> Seal:
        """The same, whose confirmations are good for this use alone."""
        return Seal(self.keys, self._spend, use)

    def spend(self, confirmation: str) -> bool:
        """Use a confirmation up; false if it was used before."""
        return self._spend(hashlib.sha256(confirmation.encode()).hexdigest(), LIFETIME)

    def issue(self, subject: Mapping[str, Any], now: float | None = None) -> str:
        """A string that confirms `subject`, good for ten minutes."""
        expiry = str(int(now or time.time()) + LIFETIME)
        nonce = secrets.token_urlsafe(NONCE)[:NONCE]
        return f"{expiry}.{nonce}{self._sign(self.keys[0], subject, expiry, nonce)}"

    def holds(
        self, confirmation: str, subject: Mapping[str, Any], now: float | None = None
    ) -> bool:
        """Whether this was issued for `subject` and is still good; `now` in seconds since 1970."""
        expiry, _, rest = confirmation.partition(".")
        nonce, signature = rest[:NONCE], rest[NONCE:]
        if not _SHAPE.fullmatch(confirmation) or int(expiry) < (now or time.time()):
            return False
        return any(
            hmac.compare_digest(self._sign(key, subject, expiry, nonce), signature)
            for key in self.keys
        )

    def _sign(self, key: bytes, subject: Mapping[str, Any], expiry: str, nonce: str) -> str:
        # The expiry as it is written: spelled otherwise, a confirmation would count once more.
        signed = [expiry, nonce, subject, *self._use]
        text = json.dumps(signed, sort_keys=True, separators=(",", ":"), default=str)
        digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:24]).decode()


class SpentHere:
    """Used confirmations of one process."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def __call__(self, digest: str, lifetime: int) -> bool:
        now = time.time()
        self._until = {key: until for key, until in self._until.items() if until > now}
        return self._until.setdefault(digest, now + lifetime) == now + lifetime


def derive_key(secret: str | bytes) -> bytes:
    """A key of our own from a secret that has other uses too."""
    raw = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(raw, b"bottlecrm_mcp.confirmation", hashlib.sha256).digest()
