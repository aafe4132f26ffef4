"""Comments, files and the like of one record, without its detail view and all that bundles."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType

from bottlecrm_mcp.catalogue.model import Included
from bottlecrm_mcp.gateway.in_process.records import ORG, Records


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
