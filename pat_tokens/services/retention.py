"""The end of old entries of the event log and of the call log."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from pat_tokens.audit import events
from pat_tokens.models import Call, CallRecord, Event, RefusalCount
from pat_tokens.rls import in_organisation, pruning

# One transaction each, so that nobody waits for the whole log.
BATCH = 10_000


def prune(org_id: Any, before: datetime) -> int:
    """Remove an organisation's entries from before then, and say so in the log; how many."""
    total = 0
    while removed := _prune_batch(org_id, before):
        total += removed
    if total:
        detail = f"{total} entries from before {before:%Y-%m-%d %H:%M} UTC"
        events.record(Event.Kind.PRUNED, org_id=org_id, detail=detail)
    return total


def prune_calls(org_id: Any, *, reads_before: datetime, writes_before: datetime) -> int:
    """Remove an organisation's calls from before then, and say so in the event log; how many."""
    total, oldest = 0, None
    while removed := _prune_calls_batch(org_id, reads_before, writes_before, oldest):
        # Those that are kept are not looked through again.
        total, oldest = total + len(removed), removed[-1]
    if total:
        detail = f"{total} calls from before {reads_before:%Y-%m-%d %H:%M} UTC"
        events.record(Event.Kind.PRUNED, org_id=org_id, detail=detail)
    return total


def _prune_calls_batch(
    org_id: Any, reads_before: datetime, writes_before: datetime, oldest: datetime | None
) -> list[datetime]:
    """When the removed calls were made, none of which was before `oldest`."""
    is_old = Q(writes=False, created_at__lt=reads_before) | Q(created_at__lt=writes_before)
    latest = max(reads_before, writes_before)
    with in_organisation(org_id), pruning(latest):
        # The first conditions are what the index is searched by.
        old = Call.objects.filter(is_old, org_id=org_id, created_at__lt=latest)
        if oldest is not None:
            old = old.filter(created_at__gte=oldest)
        found = list(old.order_by("created_at").values_list("pk", "created_at")[:BATCH])
        ids = [pk for pk, _ in found]
        Call.objects.filter(pk__in=ids).delete()
        CallRecord.objects.filter(call_id__in=ids).delete()
    return [moment for _, moment in found]


def _prune_batch(org_id: Any, before: datetime) -> int:
    with in_organisation(org_id), pruning(before):
        old = Event.objects.filter(org_id=org_id, created_at__lt=before).order_by("created_at")
        ids = list(old.values_list("pk", flat=True)[:BATCH])
        RefusalCount.objects.filter(pk__in=ids).delete()
        removed, _ = Event.objects.filter(pk__in=ids).delete()
    return removed
