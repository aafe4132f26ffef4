"""The bound of every expiry."""

from datetime import UTC, datetime

from django.core.exceptions import ValidationError

# PostgreSQL stores later years than Python can read: such a row could not be loaded any more.
EXPIRY_CEILING = datetime(3000, 1, 1, tzinfo=UTC)


def validate_expiry(value: datetime) -> None:
    """Raises `ValidationError` at or beyond `EXPIRY_CEILING`."""
    if value >= EXPIRY_CEILING:
        raise ValidationError(
            "Choose a time before the year 3000, or none at all for a token that never expires."
        )
