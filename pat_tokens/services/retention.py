"""The end of old entries of the event log."""

from datetime import datetime
from typing import Any

from pat_tokens.audit import events
from pat_tokens.models import Event, RefusalCount
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


def _prune_batch(org_id: Any, before: datetime) -> int:
    with in_organisation(org_id), pruning(before):
        old = Event.objects.filter(org_id=org_id, created_at__lt=before).order_by("created_at")
        ids = list(old.values_list("pk", flat=True)[:BATCH])
        RefusalCount.objects.filter(pk__in=ids).delete()
        removed, _ = Event.objects.filter(pk__in=ids).delete()
    return removed
