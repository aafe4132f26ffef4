"""Token table of the host's own, as BottleCRM has one, where it is installed.

Its rows have `profile`, `org`, `name`, `token_hash`, `token_prefix`, `scopes`, `expires_at`,
`last_used_at`, `created_at` and `revoked_at`. It may be outside row-level security, so every query
here names the organisation or the digest.
"""

from typing import Any

from django.apps import apps
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, UUIDField, When
from django.utils import timezone

from pat_tokens.conf import token_settings
from pat_tokens.models import Token
from pat_tokens.models.expiry import EXPIRY_CEILING
from pat_tokens.models.token import Status


def host_tokens() -> QuerySet[Any] | None:
    """All rows, or None where the host has no such table."""
    try:
        model = apps.get_model(token_settings.host_model)
    except (LookupError, ValueError):
        return None
    rows: QuerySet[Any] = model._base_manager.select_related("profile__user")
    return readable(rows)


def readable(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With `expiry` instead of `expires_at`.

    The host may have stored a year that can't be loaded, which would hide all other rows.
    """
    expiry = Case(When(expires_at__lt=EXPIRY_CEILING, then=F("expires_at")))
    read: QuerySet[Any] = rows.defer("expires_at").annotate(expiry=expiry)
    return read


def host_tokens_of(org_id: Any) -> QuerySet[Any] | None:
    """Those of an organisation that were not adopted. To be read in its context."""
    rows = host_tokens()
    if rows is None:
        return None
    rows = rows.filter(org_id=org_id)
    if not isinstance(rows.model._meta.pk, UUIDField):
        return rows
    # Adopted ones keep their ids.
    return rows.exclude(Exists(Token.objects.filter(org_id=org_id, pk=OuterRef("pk"))))


def is_live_row() -> Q:
    now = timezone.now()
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))


def is_dead_row() -> Q:
    return Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())


def status_of(row: Any) -> Status:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expiry is not None and row.expiry <= timezone.now() else "active"


def revoke_host_tokens(**which: Any) -> int:
    """Those that were live until now, by a condition that names the organisation or a digest."""
    rows = host_tokens()
    if rows is None:
        return 0
    return rows.filter(revoked_at=None, **which).update(revoked_at=timezone.now())


def revoke_by_digest(digest: str) -> Any | None:
    """The row that was live until now, if there is one with this digest."""
    if not revoke_host_tokens(token_hash=digest):
        return None
    rows = host_tokens()
    return rows.filter(token_hash=digest).first() if rows is not None else None
