"""Changes of a person's own token that leave its secret as it is."""

from django.utils import timezone
from rest_framework.exceptions import APIException

from pat_tokens.audit import events
from pat_tokens.models import Event, Token
from pat_tokens.rls import in_organisation


class NotLive(APIException):
    status_code = 409
    default_detail = "This token has ended: there is nothing to pause or to resume."


def edit(token: Token, *, name: str, note: str) -> None:
    """Set name and note. The log says which of both changed, not what they are."""
    given = {"name": name, "note": note}
    changed = [field for field, value in given.items() if getattr(token, field) != value]
    if not changed:
        return
    with in_organisation(token.org_id):
        Token.objects.filter(pk=token.pk).update(**given)
        token.name, token.note = name, note
        _record(Event.Kind.EDITED, token, detail=" and ".join(changed))


def pause(token: Token) -> None:
    """From the next request on the token is refused, until `resume`. Raises `NotLive`."""
    _require_live(token)
    with in_organisation(token.org_id):
        if Token.objects.filter(pk=token.pk, paused_at=None).update(paused_at=timezone.now()):
            _record(Event.Kind.PAUSED, token)


def resume(token: Token) -> None:
    """The token is good again; its expiry has gone on meanwhile. Raises `NotLive`."""
    _require_live(token)
    with in_organisation(token.org_id):
        if Token.objects.filter(pk=token.pk, paused_at__isnull=False).update(paused_at=None):
            _record(Event.Kind.RESUMED, token)


def _require_live(token: Token) -> None:
    if token.status not in ("active", "paused"):
        raise NotLive


def _record(kind: Event.Kind, token: Token, detail: str = "") -> None:
    events.record(kind, org_id=token.org_id, by=token.owner, token=token, detail=detail)
