"""Daily use of a token, for the chart of its page."""

from datetime import UTC, date, datetime, timedelta

from pat_tokens.models import DailyUse, Token
from pat_tokens.rls import in_organisation

DAYS = 30


def use_of(token: Token) -> list[tuple[date, int]]:
    """Minutes in use of each of the last `DAYS` days in UTC, oldest first; without use 0."""
    today = datetime.now(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    with in_organisation(token.org_id):
        rows = DailyUse.objects.filter(token=token, day__gte=first, day__lte=today)
        minutes = dict(rows.values_list("day", "minutes"))
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [(day, minutes.get(day, 0)) for day in days]
