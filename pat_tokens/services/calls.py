"""The call log as administrators and members read it: in pages, by day, and as CSV."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from pat_tokens.lists.paging import Page, Section, read_page
from pat_tokens.models import Call, CallRecord
from pat_tokens.rls import in_organisation
from pat_tokens.services.spreadsheet import csv_lines

Outcome = Call.Outcome

DAYS = 30
# The newest calls that the days are counted of, and those about several records that are looked at.
MOST_COUNTED = 100_000
MOST_OF_SEVERAL = 1_000
# Rows of a CSV file that are read at once.
CHUNK = 2_000
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
FIELDS = [name if name != "record_ids" else "record_id" for name in COLUMNS]


@dataclass(frozen=True)
class Day:
    """The calls of one day of the organisation; `refused` and `error` are among `calls`."""

    day: date
    calls: int = 0
    refused: int = 0
    error: int = 0


def call_page(org_id: Any, wanted: dict[str, Any], **position: Any) -> Page:
    """A page of the log, newest first.

    `wanted` is that of `CallFilter`, `position` that of `read_page`.
    """
    with in_organisation(org_id):
        page = read_page([Section("call", "call", _calls(org_id, wanted))], **position)
        several = {call.pk: call for _, call in page.lines if call.records > 1}
        for pk, record_ids in _ids_of(several).items():
            several[pk].record_ids = tuple(record_ids)
    return page


def calls_by_day(org_id: Any, wanted: dict[str, Any], zone: tzinfo) -> tuple[list[Day], bool]:
    """The last `DAYS` days, oldest first, and whether all of their calls are counted."""
    today = timezone.localdate(timezone=zone)
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    with in_organisation(org_id):
        begin = datetime.combine(days[0], time.min, tzinfo=zone)
        calls = _calls(org_id, wanted).filter(created_at__gte=begin)
        newest = calls.order_by("-created_at", "-id").values_list("created_at", flat=True)
        beyond = newest[MOST_COUNTED : MOST_COUNTED + 1].first()
        if beyond is not None:
            calls = calls.filter(created_at__gt=beyond)
        per_day = calls.order_by().annotate(day=TruncDate("created_at", tzinfo=zone)).values("day")
        counted = per_day.annotate(
            calls=Count("pk", filter=~Q(outcome=Outcome.LOST)),
            refused=Count("pk", filter=Q(outcome=Outcome.REFUSED)),
            error=Count("pk", filter=Q(outcome=Outcome.ERROR)),
        )
        found = {row["day"]: Day(**row) for row in counted}
    return [found.get(day) or Day(day) for day in days], beyond is None


def calls_as_csv(org_id: Any, wanted: dict[str, Any]) -> Iterator[str]:
    """The calls as CSV, newest first, in pieces: each is read when it is asked for."""
    yield csv_lines([COLUMNS])
    after = Q()
    while True:
        with in_organisation(org_id):
            calls = _calls(org_id, wanted).filter(after).order_by("-created_at", "-id")
            rows = list(calls.values(*FIELDS)[:CHUNK])
            several = _ids_of(row["id"] for row in rows if row["records"] > 1)
        if not rows:
            return
        yield csv_lines(_written(rows, several))
        pk, moment = rows[-1]["id"], rows[-1]["created_at"]
        after = Q(created_at__lte=moment) & ~Q(created_at=moment, pk__gte=pk)


def _written(
    rows: Iterable[dict[str, Any]], several: Mapping[int, list[str]]
) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        record_ids = " ".join(several.get(row["id"], [row["record_id"]]))
        told = {**row, "created_at": row["created_at"].isoformat(), "record_ids": record_ids}
        yield tuple(told[name] for name in COLUMNS)


def _ids_of(pks: Iterable[int]) -> dict[int, list[str]]:
    """The records' ids of those of these calls that are about several."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = CallRecord.objects.filter(call_id__in=list(pks)).order_by("pk")
    for pk, record_id in rows.values_list("call_id", "record_id"):
        found[pk].append(record_id)
    return found


def _calls(org_id: Any, wanted: dict[str, Any]) -> QuerySet[Call]:
    others = {name: value for name, value in wanted.items() if name != "record_id"}
    calls: QuerySet[Call] = Call.objects.filter(org_id=org_id, **others)
    record_id = wanted.get("record_id")
    if record_id is None:
        return calls
    # Asked for by themselves: with a subquery PostgreSQL would look through the whole log.
    several = CallRecord.objects.filter(org_id=org_id, record_id=record_id)
    if others:
        # Else a write would be missing behind so many reads of its record.
        several = several.filter(call_id__in=calls.order_by().values("pk"))
    ids = several.order_by("-call_id").values_list("call_id", flat=True)[:MOST_OF_SEVERAL]
    return calls.filter(Q(record_id=record_id) | Q(pk__in=list(ids)))
