"""Comments, files and the like of one record, without its detail view and all that bundles."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType

from bottlecrm_mcp.catalogue.model import Included
from bottlecrm_mcp.gateway.in_process.records import ORG, Records

logger = logging.getLogger("bottlecrm_mcp")


@dataclass(frozen=True)
class NewFile:
    """A file on its way to the CRM. Its name has no control characters."""

    name: str
    content_type: str
    content: bytes

    def multipart(self, key: str) -> tuple[bytes, str]:
        """A multipart body with the file as its part `key`, and the body's content type."""
        boundary = secrets.token_hex(16)
        # Django's parser reads entities of HTML in it, which would rename "R&copy.pdf".
        name = self.name.replace("&", "&amp;").replace('"', "%22")
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{key}"; filename="{name}"\r\n'
            f"Content-Type: {self.content_type}\r\n\r\n"
        )
        body = b"".join((head.encode(), self.content, f"\r\n--{boundary}--\r\n".encode()))
        return body, f"multipart/form-data; boundary={boundary}"


def stored_sizes(part: Included, ids: Sequence[str], org_id: str) -> dict[str, int]:
    """The bytes of these files by their ids, without those that the storage can't tell of."""
    rows = apps.get_model(part.model)._base_manager.filter(**{ORG: org_id}, pk__in=ids)
    sizes = {}
    for row in list(rows):
        try:
            sizes[str(row.pk)] = getattr(row, part.file).size
        except Exception as problem:
            # Each storage fails in its own way, and the names are worth something without it.
            logger.warning("The size of a file is not known: %s", type(problem).__name__)
    return sizes


def attached_rows(
    records: Records, part: Included, record_id: str, org_id: str
) -> list[dict[str, Any]] | None:
    """The rows of `part`, newest first; None if the record is not among those of the list.

    Whoever a list shows a record to may open it, so its detail view would hand these rows out.
    """
    if not records.queryset.filter(pk=record_id).exists():
        return None
    model = apps.get_model(part.model)
    kept = model._base_manager.filter(
        **{ORG: org_id},
        content_type=ContentType.objects.get_for_model(records.model),
        object_id=record_id,
        **dict(part.only),
    )
    newest_first = kept.order_by(f"-{part.newest_by}", "pk")
    return Records(records.catalogue, model, [kept], org_id).rows(newest_first, part.fields)
