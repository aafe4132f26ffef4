"""Daily limits: what one token or connection may write, delete and mail, counted by the database.

A day is one in UTC. Each write is counted in its own transaction, before it is made: where that is
rolled back the count is too, and of two at once the second waits for the first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from pat_tokens.conf import token_settings
from pat_tokens.models import DailyCount, Policy, Token
from pat_tokens.rls import in_organisation
from pat_tokens.services.asked_changes import AskedChanges

KINDS = ("writes", "deletes", "mails")
NAMES = {"writes": "writes", "deletes": "deletes", "mails": "e-mails to people outside"}
# Of a limit: what is left is told from here on.
LITTLE = 0.2
KEPT = timedelta(days=90)

COUNT = """
INSERT INTO pat_tokens_dailycount AS counted (org_id, token_id, day, writes, deletes, mails)
VALUES (%s, %s, (now() AT TIME ZONE 'UTC')::date, %s, %s, %s)
ON CONFLICT (org_id, token_id, day) DO UPDATE SET
    writes = counted.writes + excluded.writes,
    deletes = counted.deletes + excluded.deletes,
    mails = counted.mails + excluded.mails
RETURNING writes, deletes, mails, (SELECT ARRAY[max_writes, max_deletes, max_mails]
    FROM pat_tokens_policy policy WHERE policy.org_id = counted.org_id)
"""


class LimitReached(Exception):
    """The write would be one more than the day's limit; the message says so to its client."""


@dataclass(frozen=True)
class Left:
    """What a token has used of a limit today."""

    kind: str
    used: int
    limit: int

    @property
    def is_little(self) -> bool:
        return self.limit - self.used <= self.limit * LITTLE

    @property
    def count(self) -> int:
        return max(self.limit - self.used, 0)

    @property
    def name(self) -> str:
        return NAMES[self.kind]

    @property
    def reached(self) -> str:
        """What is said to whoever would go beyond it."""
        return _reached(self)

    def __str__(self) -> str:
        return f"{self.used} of {self.limit} {self.name} today"


def count_write(
    org_id: Any, token_id: str, *, writes: int = 1, deletes: int = 0, mails: int = 0
) -> None:
    """Count one write, in the transaction that makes it and has the organisation set.

    Raises `LimitReached`; the transaction is then to be rolled back.
    """
    if connection.vendor != "postgresql":
        # A host's own tests; the deployment check refuses any other database.
        return
    added = {"writes": writes, "deletes": deletes, "mails": mails}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [str(org_id), token_id, *added.values()])
        *counts, chosen = cursor.fetchone()
    limits = limits_under(dict(zip(KINDS, chosen or (), strict=False)))
    for kind, count in zip(KINDS, counts, strict=True):
        if added[kind] and count > limits[kind]:
            raise LimitReached(Left(kind, count - added[kind], limits[kind]).reached)


def count_request(org_id: Any, token_id: str, asked: AskedChanges) -> str | None:
    """Count a request that writes, in a transaction of its own; why it may not be made, or None."""
    try:
        with in_organisation(org_id):
            count_write(org_id, token_id, **asked._asdict())
    except LimitReached as reached:
        return str(reached)
    return None


def limits_under(chosen: Mapping[str, int | None]) -> dict[str, int]:
    """The limits by kind, where an organisation has chosen these."""
    default, ceilings, limits = token_settings.daily_limits, token_settings.daily_ceilings, {}
    for kind in KINDS:
        of_org, ceiling = chosen.get(kind), ceilings.get(kind)
        limit = default[kind] if of_org is None else of_org
        limits[kind] = limit if ceiling is None else min(limit, ceiling)
    return limits


def ceiling_fault(kind: str, limit: int | None) -> str | None:
    """Why an organisation can't choose this limit, or None."""
    ceiling = token_settings.daily_ceilings.get(kind)
    if limit is None or ceiling is None or limit <= ceiling:
        return None
    return f"This server allows {ceiling} at most."


def limits_of(policy: Policy) -> dict[str, int]:
    return limits_under({kind: getattr(policy, f"max_{kind}") for kind in KINDS})


def used_today(policy: Policy, token_id: Any) -> list[Left]:
    """What a token or connection has used of each limit today."""
    today = datetime.now(UTC).date()
    rows = DailyCount.objects.filter(org_id=policy.org_id, token_id=str(token_id), day=today)
    with in_organisation(policy.org_id):
        counts = rows.values(*KINDS).first() or {}
    return [Left(kind, counts.get(kind, 0), limit) for kind, limit in limits_of(policy).items()]


def left_today(token: Token) -> tuple[Left, ...]:
    """What a token that was looked up has used of each limit today."""
    counts, limits = token.counted_today or {}, limits_under(token.policy_limits or {})
    return tuple(Left(kind, counts.get(kind, 0), limit) for kind, limit in limits.items())


def little_left(left: Iterable[Left]) -> tuple[str, ...]:
    """Of which of these limits there is little left, in words."""
    return tuple(str(each) for each in left if each.used and each.is_little)


def prune_counts(org_id: Any) -> None:
    """Remove the organisation's counts of days long ago."""
    with in_organisation(org_id):
        DailyCount.objects.filter(day__lt=datetime.now(UTC).date() - KEPT).delete()


def _reached(left: Left) -> str:
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    hours, minutes = divmod(int((midnight - now).total_seconds()) // 60, 60)
    return (
        f"The limit of this token is reached: {left}. It begins anew at midnight UTC, in "
        f"{hours} h {minutes} min; an administrator can change it under Settings → API Tokens → "
        "Policy."
    )
