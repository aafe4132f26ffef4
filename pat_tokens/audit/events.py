"""Event log. No entry holds a secret, a digest or a value of a record."""

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid5

from django.db.models import CharField, F
from django.utils import timezone

from pat_tokens.audit.source import current_source, storable
from pat_tokens.host.owners import email_of
from pat_tokens.models import Call, Connection, Event, RefusalCount, Token
from pat_tokens.rls import in_organisation

# What one token can add in a minute by what is refused. What changed something is always an entry.
ENTRIES_PER_MINUTE = 30
MORE_REFUSALS = "more refusals of this token within a minute"


def record(
    kind: Event.Kind,
    *,
    org_id: Any,
    by: Any = None,
    token: Token | None = None,
    connection: Connection | None = None,
    **facts: Any,
) -> Event:
    """Append an entry; `by` is the owner-model row of the person who did it."""
    entry = _entry(kind, org_id, by, token, facts, connection)
    with in_organisation(org_id):
        entry.save(force_insert=True)
    return entry


def append(kind: Event.Kind, *, org_id: Any, **facts: Any) -> Event:
    """The same where the organisation is set already: row-level security refuses any other."""
    entry = _entry(kind, org_id, None, None, facts)
    entry.save(force_insert=True)
    return entry


def record_bounded(
    kind: Event.Kind, *, org_id: Any, by: Any = None, token: Token | None = None, **facts: Any
) -> bool:
    """Append an entry that anybody could ask for at will, or add to the one that counts those.

    A token has one such entry for each minute in which it made `ENTRIES_PER_MINUTE` others. New
    addresses are counted among themselves, so that nothing else crowds them out. Whether it has an
    entry of its own.
    """
    entry = _entry(kind, org_id, by, token, facts)
    with in_organisation(org_id):
        if entry.token_id is not None and _is_crowded(entry):
            _count(entry)
            return False
        entry.save(force_insert=True)
    return True


def _is_crowded(entry: Event) -> bool:
    since = entry.created_at - timedelta(minutes=1)
    recent = Event.objects.filter(
        org_id=entry.org_id, token_id=entry.token_id, created_at__gt=since
    )
    if entry.kind == Event.Kind.NEW_ADDRESS:
        recent = recent.filter(kind=entry.kind)
    return recent[:ENTRIES_PER_MINUTE].count() >= ENTRIES_PER_MINUTE


def _count(entry: Event) -> None:
    # The same id for all of a token and a minute, so that processes count together.
    minute = entry.created_at.replace(second=0, microsecond=0)
    entry.pk = uuid5(UUID(str(entry.token_id)), minute.isoformat())
    counted = RefusalCount.objects.filter(pk=entry.pk)
    if counted.update(times=F("times") + 1):
        return
    entry.kind, entry.detail = Event.Kind.REFUSED, MORE_REFUSALS
    entry.tool = entry.entity = entry.record_id = entry.outcome = ""
    Event.objects.bulk_create([entry], ignore_conflicts=True)
    RefusalCount.objects.bulk_create(
        [RefusalCount(event_id=entry.pk, org_id=entry.org_id)], ignore_conflicts=True
    )
    counted.update(times=F("times") + 1)


def _entry(
    kind: Event.Kind,
    org_id: Any,
    by: Any,
    token: Token | None,
    facts: dict[str, Any],
    connection: Connection | None = None,
) -> Event:
    source = current_source()
    where = {"address": source.address, "client": source.client}
    entry = Event(
        kind=kind, org_id=org_id, created_at=timezone.now(), **_storable({**where, **facts})
    )
    if by is not None:
        entry.actor_id, entry.actor = str(by.pk), email_of(by)
    if token is not None:
        entry.token_id, entry.token_name = token.credential_id, token.name
        entry.token_prefix = token.prefix
    if connection is not None:
        entry.token_id, entry.token_name = connection.pk, connection.client_name
    return entry


def _storable(facts: dict[str, Any]) -> dict[str, Any]:
    """Clients say some of this: nothing of it may keep the entry from being stored."""
    return {name: fitting(Event, name, value) for name, value in facts.items()}


def fitting(model: type[Call | Event | Token], name: str, value: Any) -> Any:
    """The value as the text column of this name can hold it; other values as they are."""
    longest = _longest(model, name)
    return storable(value)[:longest] if value and longest else value


@cache
def _longest(model: type[Call | Event | Token], name: str) -> int | None:
    """The characters that a text column of this name takes; None of any other."""
    field = model._meta.get_field(name)
    return field.max_length if isinstance(field, CharField) else None
