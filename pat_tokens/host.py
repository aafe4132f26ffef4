"""The host's own table of tokens, as BottleCRM has one, where it is installed.

Its rows have `profile`, `org`, `name`, `token_hash`, `token_prefix`, `scopes`, `expires_at`,
`last_used_at`, `created_at` and `revoked_at`. It may be outside row-level security, so every query
here names the organisation or the digest.
"""

from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import QuerySet
from django.utils import timezone

from pat_tokens.conf import token_settings
from pat_tokens.local_setting import in_organisation
from pat_tokens.models import Token


def host_tokens() -> QuerySet[Any] | None:
    """All rows, or None where the host has no such table."""
    try:
        model = apps.get_model(token_settings.host_model)
    except (LookupError, ValueError):
        return None
    rows: QuerySet[Any] = model._base_manager.select_related("profile__user", "org")
    return rows


def host_tokens_of(org_id: Any, **filters: Any) -> list[Any]:
    """Newest first, without those that were adopted, which keep their ids."""
    rows = host_tokens()
    if rows is None:
        return []
    with in_organisation(org_id):
        found = list(rows.filter(org_id=org_id, **filters).order_by("-created_at"))
        ids = [row.pk for row in found if isinstance(row.pk, UUID)]
        adopted = set(Token.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [row for row in found if row.pk not in adopted]


def revoke_host_token(row: Any) -> bool:
    """True if it was live until now."""
    rows = host_tokens()
    if rows is None:
        return False
    now = timezone.now()
    return rows.filter(pk=row.pk, revoked_at=None).update(revoked_at=now) == 1


def revoke_by_digest(digest: str) -> Any | None:
    """The row that was live until now, if there is one with this digest."""
    rows = host_tokens()
    row = rows.filter(token_hash=digest).first() if rows is not None else None
    return row if row is not None and revoke_host_token(row) else None
