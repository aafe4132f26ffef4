"""Links in the answers of tools, made by the gateway of the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottlecrm_mcp.catalogue.model import Action, Entity, Included
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.hosted import oauth
from bottlecrm_mcp.hosted.files.links import DOWNLOAD, UPLOAD, Link, state_of
from bottlecrm_mcp.tools.confirmation.seal import LIFETIME, Seal
from bottlecrm_mcp.tools.files import require_attachable, size_in_words, type_of

EACH_ONCE = (
    "Each link works once, within 10 minutes, and needs no token: give it to nobody but the person."
)
NEXT = (
    "Send the file's bytes there, at most {size}, such as: curl -T FILE -H 'Content-Type: {type}' "
    "URL. It works once, within 10 minutes; nothing is attached before."
)


@dataclass(frozen=True)
class HostedFileLinks:
    """Links for the caller of this gateway, at the address where this is served."""

    gateway: InProcessGateway
    seal: Seal

    def add_to(
        self, entity: Entity, record_id: str, part: Included, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[list[dict[str, Any]], str]:
        """The rows with type, size and link of each file, and what is to be said of the links."""
        sizes = self.gateway.file_sizes(entity, part, [str(row["id"]) for row in rows])
        shown = [self._described(row, sizes) for row in rows]
        resource = resource_of(part.download)
        if not self.gateway.caller.may(resource, "read"):
            return shown, f"This token lacks the scope {resource}:read, so there are no links."
        linked = [
            {**row, "link": self._address(DOWNLOAD, entity, record_id, str(row["id"]))}
            for row in shown
        ]
        return linked, EACH_ONCE if linked else ""

    def _described(self, row: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Any]:
        size = sizes.get(str(row["id"]))
        known = {"type": type_of(str(row.get("file_name"))), "size": size}
        return {**row, **{name: value for name, value in known.items() if value is not None}}

    def upload(
        self, entity: Entity, record_id: str, action: Action, file_name: str
    ) -> dict[str, Any]:
        """How a new file of this name is sent. Raises `ToolError`."""
        require_attachable(file_name)
        content_type, most = type_of(file_name), mcp_settings().MAX_FILE_BYTES
        return {
            "method": "PUT",
            "url": self._address(UPLOAD, entity, record_id, file_name),
            "headers": {"Content-Type": content_type},
            "max_bytes": most,
            "expires_in": LIFETIME,
            "next": NEXT.format(size=size_in_words(most), type=content_type),
        }

    def _address(self, purpose: str, entity: Entity, record_id: str, file: str) -> str:
        caller = self.gateway.caller
        token = caller.org_id, caller.token_id, state_of(caller)
        link = Link(purpose, entity.name, *token, record_id, file)
        path = link.path(self.seal)
        if oauth.is_on():
            from pat_tokens.oauth import token_settings

            return token_settings.issuer + path
        return self.gateway.request("GET", "/").build_absolute_uri(path)


def resource_of(path: str) -> str:
    """What scopes call the route of a path below /api/."""
    return path.removeprefix("/api/").partition("/")[0]
