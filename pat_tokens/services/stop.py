"""Emergency stop: no token and no connection of an organisation does anything, from now on."""

from typing import Any

from django.utils import timezone

from pat_tokens.audit import events
from pat_tokens.host.owners import email_of
from pat_tokens.models import Event, Policy
from pat_tokens.rls import in_organisation
from pat_tokens.secret import redacted


def stop_agents(admin: Any, reason: str) -> None:
    """Stop them at their next request, with this reason, until `allow_agents`.

    Those that are stopped already get the new reason. A token in it is cut to how it begins, for
    the reason may well be that one leaked, and all are told it.
    """
    reason = redacted(reason)
    facts = {"stopped_at": timezone.now(), "stopped_by": email_of(admin), "stop_reason": reason}
    with in_organisation(admin.org_id):
        Policy.objects.bulk_create([Policy(org_id=admin.org_id)], ignore_conflicts=True)
        Policy.objects.filter(org_id=admin.org_id).update(**facts)
        events.record(Event.Kind.STOPPED, org_id=admin.org_id, by=admin, detail=reason)


def allow_agents(admin: Any) -> bool:
    """Let them do again what the policy says; whether they were stopped."""
    stopped = Policy.objects.filter(org_id=admin.org_id, stopped_at__isnull=False)
    with in_organisation(admin.org_id):
        if not stopped.update(stopped_at=None, stopped_by="", stop_reason=""):
            return False
        events.record(Event.Kind.STARTED, org_id=admin.org_id, by=admin)
    return True


def stop_denial(reason: str | None) -> str | None:
    """What those who are stopped are told, or None where they are not; `reason` is None then."""
    if reason is None:
        return None
    return (
        "An administrator has stopped all connections and tokens of your organisation. "
        f"The reason given: “{reason}”."
    )
