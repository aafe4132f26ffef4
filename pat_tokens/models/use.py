"""Daily use model: in how many minutes of a day a token was used."""

from typing import Any, ClassVar

from django.db import models

from pat_tokens.models.token import Token


class DailyUse(models.Model):
    """One row for a token and a day in UTC.

    Last use is written once a minute at most, and so counted: `minutes` is no number of calls.
    """

    # Named here, so that a host's DEFAULT_AUTO_FIELD changes no migration.
    id = models.BigAutoField(primary_key=True, editable=False)
    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="daily_use")
    # Row-level security binds it to its organisation as it binds the token.
    org_id = models.UUIDField(editable=False)
    day = models.DateField(editable=False)
    minutes = models.PositiveSmallIntegerField(default=0, editable=False)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["token", "day"], name="pat_tokens_dailyuse_of_day"),
        )

    def __str__(self) -> str:
        return f"{self.minutes} minutes on {self.day}"
