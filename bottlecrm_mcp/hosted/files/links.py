"""Sealed links to one file, for one token: the path is all that whoever uses it has to have."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.tools.confirmation.seal import Seal

ROOT = "/mcp/files/"
ID_BYTES = 16
DOWNLOAD, UPLOAD = "download", "upload"


class BadLink(Exception):
    """The path is no link of this CRM's, or it has expired."""


@dataclass(frozen=True)
class Link:
    """One file of a record, and the token or connection as whose owner it is read or added.

    `made_under` is `state_of` the token then. `file` is the id of an attached file, or the name of
    a new one.
    """

    purpose: str
    entity: str
    org_id: str
    token_id: str
    made_under: str
    record_id: str
    file: str

    @property
    def _subject(self) -> dict[str, Any]:
        return {"file_link": asdict(self)}

    def path(self, seal: Seal) -> str:
        """The path of the link, good for ten minutes. Raises `ValueError` for ids of other kinds.

        The ids in it are no secret; the signature behind them is.
        """
        ids = [self.org_id, self.token_id, self.made_under, self.record_id]
        ids += [self.file] if self.purpose == DOWNLOAD else []
        packed = base64.urlsafe_b64encode(b"".join(UUID(each).bytes for each in ids)).decode()
        name = f"/{quote(self.file, safe='')}" if self.purpose == UPLOAD else ""
        return f"{ROOT}{self.entity}/{packed.rstrip('=')}.{seal.issue(self._subject)}{name}"


def opened(path: str, purpose: str, seal: Seal) -> tuple[Link, str]:
    """The link of a decoded path, and the seal that counts once. Raises `BadLink`."""
    parts = path.removeprefix(ROOT).split("/")
    if len(parts) != (3 if purpose == UPLOAD else 2):
        raise BadLink
    entity, sealed, *named = parts
    packed, _, signed = sealed.partition(".")
    ids = _ids(packed)
    if len(ids) != (4 if purpose == UPLOAD else 5):
        raise BadLink
    org_id, token_id, made_under, record_id, *attached = ids
    file = (named or attached)[0]
    link = Link(purpose, entity, org_id, token_id, made_under, record_id, file)
    if not seal.holds(signed, link._subject):
        raise BadLink
    return link, signed


def state_of(caller: Caller) -> str:
    """A digest, spelled as an id, of when the caller's secret was made and what it may do."""
    state = (
        caller.secret_since,
        caller.role,
        sorted(caller.scopes),
        caller.read_only,
        caller.sealed,
    )
    return str(UUID(bytes=hashlib.sha256(repr(state).encode()).digest()[:ID_BYTES]))


def _ids(packed: str) -> list[str]:
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        return []
    if len(raw) % ID_BYTES:
        return []
    starts = range(0, len(raw), ID_BYTES)
    return [str(UUID(bytes=raw[start : start + ID_BYTES])) for start in starts]
