"""The event log of an organisation as its administrators read it: in pages, and as CSV."""

from typing import Any

from pat_tokens.lists.paging import Page, Section, read_page
from pat_tokens.models import Event
from pat_tokens.models.event import EventQuerySet
from pat_tokens.rls import in_organisation
from pat_tokens.services.spreadsheet import csv_lines

# Beyond it the log is not counted, which would take ever longer, nor exported at once.
MOST_ENTRIES = 100_000
COLUMNS = (
    "id",
    "created_at",
    "kind",
    "times",
    "actor_id",
    "actor",
    "token_id",
    "token_name",
    "token_prefix",
    "address",
    "client",
    "tool",
    "entity",
    "record_id",
    "outcome",
    "detail",
)


class TooManyEntries(Exception):
    """More than `MOST_ENTRIES` would have to be exported."""


def event_page(org_id: Any, wanted: dict[str, Any], **position: Any) -> Page:
    """A page of the log, newest first.

    `wanted` is that of `EventFilter`, `position` that of `read_page`.
    """
    with in_organisation(org_id):
        entries = _entries(org_id, wanted).counted()
        return read_page([Section("event", "event", entries)], **position)


def count_events(org_id: Any, wanted: dict[str, Any]) -> int:
    """How many entries there are; `MOST_ENTRIES` + 1 stands for any larger number."""
    with in_organisation(org_id):
        return _entries(org_id, wanted).order_by()[: MOST_ENTRIES + 1].count()


def events_as_csv(org_id: Any, wanted: dict[str, Any]) -> str:
    """The entries as CSV, newest first. Raises `TooManyEntries`."""
    if count_events(org_id, wanted) > MOST_ENTRIES:
        raise TooManyEntries
    with in_organisation(org_id):
        rows = _entries(org_id, wanted).counted().values_list(*COLUMNS)
        return csv_lines([COLUMNS, *rows.iterator()])


def _entries(org_id: Any, wanted: dict[str, Any]) -> EventQuerySet:
    entries: EventQuerySet = Event.objects.filter(org_id=org_id, **wanted)
    return entries
