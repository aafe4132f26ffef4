"""Deletion of many rows in small transactions, which wait for nobody and keep nobody waiting."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from pat_tokens.rls import in_organisation

BATCH = 1_000


def delete_some(rows: QuerySet[Any]) -> int:
    """Delete up to `BATCH` of these rows; how many. Rows that somebody has locked are left."""
    with transaction.atomic():
        unlocked = rows.order_by().select_for_update(skip_locked=True)
        ids = list(unlocked.values_list("pk", flat=True)[:BATCH])
        rows.model._base_manager.filter(pk__in=ids).delete()
    return len(ids)


def delete_all(rows: QuerySet[Any]) -> int:
    """Delete these rows, a batch in each transaction; how many."""
    total = 0
    while removed := delete_some(rows):
        total += removed
    return total


def delete_all_of(org_id: Any, rows: QuerySet[Any]) -> int:
    """The same for rows that are seen within their organisation only."""
    total = 0
    while removed := _delete_some_of(org_id, rows):
        total += removed
    return total


def _delete_some_of(org_id: Any, rows: QuerySet[Any]) -> int:
    with in_organisation(org_id):
        return delete_some(rows)
