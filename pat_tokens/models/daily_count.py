"""Daily count model: what a token or connection has written in a day."""

from typing import Any, ClassVar

from django.db import models


class DailyCount(models.Model):
    """One row for a credential and a day in UTC, changed in the transaction of each write.

    No foreign key: the credential may be a connection or a token of the host's own.
    """

    # Named here, so that a host's DEFAULT_AUTO_FIELD changes no migration.
    id = models.BigAutoField(primary_key=True, editable=False)
    org_id = models.UUIDField(editable=False)
    token_id = models.CharField(max_length=64, editable=False)
    day = models.DateField(editable=False)
    writes = models.PositiveIntegerField(default=0, editable=False)
    deletes = models.PositiveIntegerField(default=0, editable=False)
    # To people outside the organisation.
    mails = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["org_id", "token_id", "day"], name="pat_tokens_dailycount_of_day"
            ),
        )

    def __str__(self) -> str:
        return f"{self.writes} writes on {self.day}"
