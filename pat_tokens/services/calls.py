"""The call log as administrators and members read it: in pages, by day, and as CSV."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from pat_tokens.lists.paging import (
    PAGE_SIZE,
    BadCursor,
    Page,
    behind,
    cursor_of,
    key_of,
    position_at,
)
from pat_tokens.models import Call, CallRecord
from pat_tokens.rls import in_organisation
from pat_tokens.services.spreadsheet import csv_lines

Outcome = Call.Outcome

DAYS = 30
# The newest calls that the days are counted of.
MOST_COUNTED = 100_000
# Rows of a CSV file that are read at once.
CHUNK = 2_000
# Of a row, as REST and CSV tell it.
COLUMNS = (
    "id",
    "created_at",
    "actor_id",
    "actor",
    "token_id",
    "token_name",
    "client",
    "client_version",
    "tool",
    "entity",
    "record_ids",
    "records",
    "fields",
    "outcome",
    "code",
    "ms",
)
SECTION = "call"


@dataclass(frozen=True)
class Day:
    """The calls of one day of the organisation; `refused` and `error` are among `calls`."""

    day: date
    calls: int = 0
    refused: int = 0
    error: int = 0


@dataclass(frozen=True)
class Source:
    """Rows that tell of calls: `key` is the column of a call's id, `call` the way to its others."""

    rows: QuerySet[Any]
    key: str = "id"
    call: str = ""


def call_page(
    org_id: Any, wanted: dict[str, Any], cursor: str = "", limit: int = PAGE_SIZE
) -> Page:
    """A page of the log, newest first. `wanted` is that of `CallFilter`. Raises `BadCursor`."""
    # One more than is shown tells whether there is a next page.
    found = _newest(org_id, wanted, limit + 1, _last_shown(cursor) if cursor else None)
    lines = [(SECTION, call) for call in found[:limit]]
    return Page(lines, cursor_of(SECTION, found[limit - 1]) if len(found) > limit else None)


def calls_by_day(org_id: Any, wanted: dict[str, Any], zone: tzinfo) -> tuple[list[Day], bool]:
    """The last `DAYS` days, oldest first, and whether all of their calls are counted."""
    today = timezone.localdate(timezone=zone)
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    begin = datetime.combine(days[0], time.min, tzinfo=zone)
    found: dict[date, Counter[str]] = defaultdict(Counter)
    is_complete = True
    with in_organisation(org_id):
        for source in _sources(org_id, wanted):
            is_whole = _count_days(source, begin, zone, found)
            is_complete = is_complete and is_whole
    return [Day(day, **found[day]) for day in days], is_complete


def calls_as_csv(org_id: Any, wanted: dict[str, Any]) -> Iterator[str]:
    """The calls as CSV, newest first, in pieces: each is read when it is asked for."""
    yield csv_lines([COLUMNS])
    last: tuple[datetime, int] | None = None
    while calls := _newest(org_id, wanted, CHUNK, last, unsorted=True):
        yield csv_lines(_cells(call) for call in calls)
        last = (calls[-1].created_at, calls[-1].pk)


def _cells(call: Call) -> Iterator[Any]:
    told = {"created_at": call.created_at.isoformat(), "record_ids": " ".join(call.about)}
    return (told.get(name, getattr(call, name)) for name in COLUMNS)


def _last_shown(cursor: str) -> tuple[datetime, int]:
    position = position_at(cursor)
    if position.section != SECTION:
        raise BadCursor
    return position.moment, key_of(Call, position)


def _newest(
    org_id: Any,
    wanted: dict[str, Any],
    most: int,
    last: tuple[datetime, int] | None,
    *,
    unsorted: bool = False,
) -> list[Call]:
    """The newest calls behind the last one that was shown, with the ids of their records."""
    with in_organisation(org_id):
        found: set[tuple[datetime, int]] = set()
        for source in _sources(org_id, wanted):
            rows = source.rows.filter(behind(*last, source.key)) if last else source.rows
            newest = rows.order_by("-created_at", f"-{source.key}")
            # The columns of an index, which holds what the filters ask for, too.
            columns = newest.values_list("created_at", source.key)
            with _without_sorting() if unsorted else nullcontext():
                found.update(columns[:most])
        ids = [pk for _, pk in sorted(found, reverse=True)[:most]]
        by_id = Call.objects.order_by().in_bulk(ids)
        calls = [by_id[pk] for pk in ids if pk in by_id]
        several = {call.pk: call for call in calls if call.records > 1}
        for pk, record_ids in _ids_of(several).items():
            several[pk].record_ids = tuple(record_ids)
    return calls


@contextmanager
def _without_sorting() -> Iterator[None]:
    """Have the rows read in the order of an index.

    PostgreSQL takes row-level security to leave one row of 200, and would rather read and sort all
    that there are, for each part of a file anew.
    """
    if connection.vendor != "postgresql":
        # A host's own tests; the deployment check refuses any other database.
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        yield
        cursor.execute("SET LOCAL enable_sort TO DEFAULT")


def _count_days(
    source: Source, begin: datetime, zone: tzinfo, found: dict[date, Counter[str]]
) -> bool:
    """Add what each day since then had; whether that was all of it."""
    rows = source.rows.filter(created_at__gte=begin)
    newest = rows.order_by("-created_at", f"-{source.key}").values_list("created_at", flat=True)
    beyond = newest[MOST_COUNTED : MOST_COUNTED + 1].first()
    if beyond is not None:
        rows = rows.filter(created_at__gt=beyond)
    per_day = rows.order_by().annotate(day=TruncDate("created_at", tzinfo=zone)).values("day")
    outcome = f"{source.call}outcome"
    counted = per_day.annotate(
        calls=Count("pk", filter=~Q(**{outcome: Outcome.LOST})),
        refused=Count("pk", filter=Q(**{outcome: Outcome.REFUSED})),
        error=Count("pk", filter=Q(**{outcome: Outcome.ERROR})),
    )
    for row in counted:
        found[row.pop("day")].update(row)
    return beyond is None


def _ids_of(pks: Iterable[int]) -> dict[int, list[str]]:
    """The records' ids of those of these calls that are about several."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = CallRecord.objects.filter(call_id__in=list(pks)).order_by("pk")
    for pk, record_id in rows.values_list("call_id", "record_id"):
        found[pk].append(record_id)
    return found


def _sources(org_id: Any, wanted: dict[str, Any]) -> list[Source]:
    """Where the calls are to be found: those about one record are not among those of several."""
    sources = [Source(Call.objects.filter(org_id=org_id, **wanted))]
    if "record_id" in wanted:
        own = ("record_id", "created_at__gte", "created_at__lte")
        asked = {name if name in own else f"call__{name}": value for name, value in wanted.items()}
        rows = CallRecord.objects.filter(org_id=org_id, **asked)
        sources.append(Source(rows, "call_id", "call__"))
    return sources
