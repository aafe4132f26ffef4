"""Cursor pagination, newest first: a page costs the same, however far down it is."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import ParseError

PAGE_SIZE = 100
CURSOR = re.compile(r"([a-z_]{1,20})\.(-?[0-9]{1,16})\.([0-9A-Za-z-]{1,64})")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class BadCursor(ParseError):
    default_detail = "This cursor is not one that a page gave. Leave it out to begin anew."


@dataclass(frozen=True)
class Section:
    """Rows of one kind, which have `created_at`. A list shows its sections one after another.

    `name` is part of the cursor; `kind` tells those who show a row what it is.
    """

    name: str
    kind: str
    rows: QuerySet[Any]


@dataclass(frozen=True)
class Page:
    """Kind and row of each line, and the cursor of the next page, None after the last."""

    lines: list[tuple[str, Any]]
    next: str | None


def read_page(sections: Sequence[Section], cursor: str = "", limit: int = PAGE_SIZE) -> Page:
    """The lines after the cursor. Raises `BadCursor`."""
    found: list[tuple[Section, Any]] = []
    for section in _after(sections, cursor) if cursor else sections:
        # One more than is shown tells whether there is a next page.
        rows = section.rows.order_by("-created_at", "-pk")[: limit + 1 - len(found)]
        found += [(section, row) for row in rows]
        if len(found) > limit:
            break
    lines = [(section.kind, row) for section, row in found[:limit]]
    return Page(lines, _cursor(*found[limit - 1]) if len(found) > limit else None)


def _cursor(section: Section, row: Any) -> str:
    return f"{section.name}.{(row.created_at - EPOCH) // MICROSECOND}.{row.pk}"


def _after(sections: Iterable[Section], cursor: str) -> Iterator[Section]:
    match = CURSOR.fullmatch(cursor)
    remaining = iter(sections)
    section = next((each for each in remaining if match and each.name == match[1]), None)
    if match is None or section is None:
        raise BadCursor
    moment = EPOCH + int(match[2]) * MICROSECOND
    key = _key(section.rows, match[3])
    # The first condition is what the index is searched by.
    later = section.rows.filter(created_at__lte=moment).exclude(created_at=moment, pk__gte=key)
    yield Section(section.name, section.kind, later)
    yield from remaining


def _key(rows: QuerySet[Any], text: str) -> Any:
    try:
        return rows.model._meta.pk.to_python(text)
    except ValidationError:
        raise BadCursor from None
