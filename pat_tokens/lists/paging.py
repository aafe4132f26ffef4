"""Cursor pagination, newest first: a page costs the same, however far down it is."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
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


@dataclass(frozen=True)
class Position:
    """A row of a section, as a cursor names it."""

    section: str
    moment: datetime
    key: str


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
    if len(found) <= limit:
        return Page(lines, None)
    section, last = found[limit - 1]
    return Page(lines, cursor_of(section.name, last))


def position_at(cursor: str) -> Position:
    """Raises `BadCursor`."""
    match = CURSOR.fullmatch(cursor)
    if match is None:
        raise BadCursor
    return Position(match[1], EPOCH + int(match[2]) * MICROSECOND, match[3])


def cursor_of(section: str, row: Any) -> str:
    return f"{section}.{(row.created_at - EPOCH) // MICROSECOND}.{row.pk}"


def key_of(model: type[Model], position: Position) -> Any:
    """The primary key of the row. Raises `BadCursor`."""
    try:
        return model._meta.pk.to_python(position.key)
    except ValidationError:
        raise BadCursor from None


def behind(moment: datetime, key: Any, name: str = "pk") -> Q:
    """The rows that come after this one, of a list that is sorted by time and the column `name`."""
    # The first condition is what the index is searched by.
    return Q(created_at__lte=moment) & ~Q(**{"created_at": moment, f"{name}__gte": key})


def _after(sections: Iterable[Section], cursor: str) -> Iterator[Section]:
    position, remaining = position_at(cursor), iter(sections)
    section = next((each for each in remaining if each.name == position.section), None)
    if section is None:
        raise BadCursor
    key = key_of(section.rows.model, position)
    later = section.rows.filter(behind(position.moment, key))
    yield Section(section.name, section.kind, later)
    yield from remaining
