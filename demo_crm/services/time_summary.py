"""Time summary of a case: how long everybody worked on it."""

from typing import Any

from django.db.models import Q, Sum

from demo_crm.models import Case


def time_summary(case: Case) -> dict[str, Any]:
    """Everybody's time but that of running timers.

    On purpose, a USER reads here how long others worked, whose entries are not listed for them.
    """
    ended = case.time_entries.filter(ended_at__isnull=False)
    people = ended.values("profile_id", "profile__user__email")
    return {
        **ended.aggregate(
            total_minutes=Sum("duration_minutes", default=0),
            billable_minutes=Sum("duration_minutes", filter=Q(billable=True), default=0),
        ),
        "last_entry_at": ended.order_by("-started_at").values_list("started_at", flat=True).first(),
        "by_profile": [
            {
                "profile_id": str(row["profile_id"]),
                "name": row["profile__user__email"],
                "minutes": row["minutes"],
            }
            for row in people.annotate(minutes=Sum("duration_minutes")).order_by("-minutes")
        ],
    }
