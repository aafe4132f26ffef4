"""Token table of the host's own, as BottleCRM has one, where it is installed.

Its rows have `profile`, `org`, `name`, `token_hash`, `token_prefix`, `scopes`, `expires_at`,
`last_used_at`, `created_at` and `revoked_at`. It may be outside row-level security, so every query
here names the organisation or the digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Aggregate, Case, Exists, F, OuterRef, Q, QuerySet, UUIDField, When
from django.utils import timezone

from pat_tokens.conf import token_settings
from pat_tokens.models import Token
from pat_tokens.models.expiry import EXPIRY_CEILING
from pat_tokens.models.token import Status


@dataclass(frozen=True)
class HostTokens:
    """Tokens of the host's own that meet a condition; none where it has no such table."""

    # One queryset, or none without the table: what loops over them needs no `if` for that.
    querysets: list[QuerySet[Any]]

    @classmethod
    def where(cls, **which: Any) -> HostTokens:
        """By a condition on the host's columns, which names the organisation or a digest."""
        return cls([rows.filter(**which) for rows in _table()])

    @classmethod
    def of(cls, org_id: Any, person: Any = None) -> HostTokens:
        """Those of an organisation, or of one person in it, that were not adopted.

        To be read in the organisation's context.
        """
        whose = {} if person is None else {"profile_id": person}
        rows = cls.where(org_id=org_id, **whose).querysets
        return cls([_without_adopted(each, org_id) for each in rows])

    def called(self, search: str) -> HostTokens:
        """Those with this in their name, or at the beginning of the token."""
        found = Q(name__icontains=search) | Q(token_prefix__startswith=search)
        return HostTokens([rows.filter(found) for rows in self.querysets])

    def live(self, condition: Q | None = None) -> list[QuerySet[Any]]:
        """Those that authenticate, and meet the condition too."""
        return [rows.filter(is_live_row() & (condition or Q())) for rows in self.querysets]

    def dead(self) -> list[QuerySet[Any]]:
        """Those that were revoked or have expired."""
        is_dead = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
        return [rows.filter(is_dead) for rows in self.querysets]

    def unrevoked(self) -> list[QuerySet[Any]]:
        """Those that were not revoked, also if they have expired."""
        return [rows.filter(revoked_at=None) for rows in self.querysets]

    def count_live(self) -> int:
        return sum(rows.count() for rows in self.live())

    def aggregate(self, **counts: Aggregate) -> dict[str, int]:
        """The counts by their names."""
        found = [rows.aggregate(**counts) for rows in self.querysets]
        return {name: sum(each[name] for each in found) for name in counts}

    def find(self, pk: Any) -> Any | None:
        """The row, with its person and their user; None if there is no such."""
        for rows in self.querysets:
            return rows.filter(pk=pk).first()
        return None

    def names(self, pk: Any) -> tuple[str, str] | None:
        """What the token is called, and its display prefix; None if there is no such."""
        for rows in self.querysets:
            return rows.filter(pk=pk).values_list("name", "token_prefix").first()
        return None

    def revoke(self) -> int:
        """Revoke those that were not; returns how many."""
        return sum(rows.update(revoked_at=timezone.now()) for rows in self.unrevoked())


def is_installed() -> bool:
    """Whether the host has such a table."""
    return bool(_table())


def _table() -> list[QuerySet[Any]]:
    """All rows of the table, in a list; an empty list where the host has none."""
    try:
        model = apps.get_model(token_settings.host_model)
    except (LookupError, ValueError):
        return []
    return [readable(model._base_manager.select_related("profile__user"))]


def readable(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With `expiry` instead of `expires_at`.

    The host may have stored a year that can't be loaded, which would hide all other rows.
    """
    expiry = Case(When(expires_at__lt=EXPIRY_CEILING, then=F("expires_at")))
    read: QuerySet[Any] = rows.defer("expires_at").annotate(expiry=expiry)
    return read


def _without_adopted(rows: QuerySet[Any], org_id: Any) -> QuerySet[Any]:
    if not isinstance(rows.model._meta.pk, UUIDField):
        return rows
    # Adopted ones keep their ids.
    return rows.exclude(Exists(Token.objects.filter(org_id=org_id, pk=OuterRef("pk"))))


def is_live_row() -> Q:
    """The condition of a row of the host's that authenticates, as of now."""
    now = timezone.now()
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))


def status_of(row: Any) -> Status:
    """Of a row that `readable` gave."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expiry is not None and row.expiry <= timezone.now() else "active"


def revoke_by_digest(digest: str) -> Any | None:
    """The row that was live until now, if there is one with this digest."""
    presented = HostTokens.where(token_hash=digest)
    if not presented.revoke():
        return None
    return next((row for rows in presented.querysets for row in rows), None)


def is_host_token(token: Any) -> bool:
    """Whether this is a row of the host's table."""
    return any(isinstance(token, rows.model) for rows in _table())


def write_last_use(token: Any, now: datetime) -> None:
    """To a row of the host's table, in its organisation's context."""
    token.last_used_at = now
    for rows in _table():
        rows.filter(pk=token.pk).update(last_used_at=now)
