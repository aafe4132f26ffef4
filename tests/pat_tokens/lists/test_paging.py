from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pat_tokens.lists.paging import BadCursor, Section, read_page
from pat_tokens.models import Event, Token
from pat_tokens.rls import in_organisation


@pytest.fixture
def entries(alpha_user):
    """Seven entries, of which three have the same time; newest first."""
    now = timezone.now()
    ages = (0, 1, 2, 2, 2, 3, 4)
    rows = [
        Event(org_id=alpha_user.org_id, kind="write", created_at=now - timedelta(seconds=age))
        for age in ages
    ]
    with in_organisation(alpha_user.org_id):
        Event.objects.bulk_create(rows)
        return list(Event.objects.all())


def walk(sections, limit) -> list[list[Any]]:
    pages, cursor = [], ""
    while True:
        page = read_page(sections, cursor, limit)
        pages.append([row for _, row in page.lines])
        if page.next is None:
            return pages
        cursor = page.next


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_every_row_is_on_one_page(alpha_user, entries, limit) -> None:
    with in_organisation(alpha_user.org_id):
        pages = walk([Section("event", "event", Event.objects.all())], limit)
    assert [row for page in pages for row in page] == entries
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert pages[-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 9])
def test_sections_follow_each_other(alpha_user, entries, issue, limit) -> None:
    tokens = [issue(alpha_user)[0] for _ in range(2)]
    sections = [
        Section("none", "token", Token.objects.none()),
        Section("tokens", "token", Token.objects.all()),
        Section("events", "event", Event.objects.all()),
    ]
    with in_organisation(alpha_user.org_id):
        pages = walk(sections, limit)
    assert [row for page in pages for row in page] == [*reversed(tokens), *entries]


def test_new_rows_move_nothing_to_another_page(alpha_user, entries) -> None:
    sections = [Section("event", "event", Event.objects.all())]
    with in_organisation(alpha_user.org_id):
        first = read_page(sections, limit=3)
        Event.objects.create(org_id=alpha_user.org_id, kind="write")
        second = read_page(sections, first.next, limit=3)
    assert [row for _, row in second.lines] == entries[3:6]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "event",
        "other.1.00000000-0000-4000-8000-000000000000",
        "event.1.x",
        "event.x.00000000-0000-4000-8000-000000000000",
        f"event.{'9' * 17}.00000000-0000-4000-8000-000000000000",
        f"event.1.{'9' * 5000}",
        "event.1.\0",
    ],
)
def test_bad_cursor(cursor) -> None:
    with pytest.raises(BadCursor, match="not one that a page gave"):
        read_page([Section("event", "event", Event.objects.none())], cursor)


@pytest.mark.parametrize("moment", ["0", "-1", "9" * 16, f"-{'9' * 16}"])
def test_cursor_of_no_row(alpha_user, entries, moment) -> None:
    cursor = f"event.{moment}.00000000-0000-4000-8000-000000000000"
    with in_organisation(alpha_user.org_id):
        read_page([Section("event", "event", Event.objects.all())], cursor)
