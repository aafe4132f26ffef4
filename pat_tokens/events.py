"""Entries of the event log. None holds a secret, a digest or a value of a record."""

from typing import Any

from django.db.models import CharField

from pat_tokens.local_setting import in_organisation
from pat_tokens.models import Connection, Event, Token
from pat_tokens.people import email_of
from pat_tokens.source import current_source, storable


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
    source = current_source()
    where = {"address": source.address, "client": source.client}
    entry = Event(kind=kind, org_id=org_id, **_storable({**where, **facts}))
    if by is not None:
        entry.actor_id, entry.actor = str(by.pk), email_of(by)
    if token is not None:
        entry.token_id, entry.token_name = token.credential_id, token.name
        entry.token_prefix = token.prefix
    if connection is not None:
        entry.token_id, entry.token_name = connection.pk, connection.client_name
    with in_organisation(org_id):
        entry.save(force_insert=True)
    return entry


def _storable(facts: dict[str, Any]) -> dict[str, Any]:
    """Clients say some of this: nothing of it may keep the entry from being stored."""
    lengths = {
        field.name: field.max_length for field in Event._meta.fields if isinstance(field, CharField)
    }
    return {
        name: storable(value)[: lengths[name]] if name in lengths else value
        for name, value in facts.items()
    }
