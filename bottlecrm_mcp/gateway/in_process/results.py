"""Results of writes: what a write did, told and noted within its transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Model

from bottlecrm_mcp.gateway.base import Subject, Written
from bottlecrm_mcp.gateway.shared.rows import changed_names

ReadBack = Callable[[Subject, str], Mapping[str, Any] | None]


class Result:
    """What becomes of a write's subject, or of the row of `model` that it makes.

    `record` is what `read_back` gives of it, `created_id` its id where the write made it.
    """

    def __init__(
        self,
        model: type[Model] | None,
        note: Callable[[Written], None],
        subject: Subject | None = None,
        read_back: ReadBack = lambda subject, record_id: None,
    ) -> None:
        self.model = model
        self.note = note
        self.subject = subject
        self.read_back = read_back
        self.created_id = ""
        self.record: Mapping[str, Any] | None = None

    @property
    def record_id(self) -> str:
        return self.created_id or (self.subject.record_id if self.subject else "")

    def see_created(self, created: Sequence[Model]) -> None:
        """Which of the rows that the write made is the one that it is about."""
        if self.subject and self.subject.record_id:
            return
        made = [row for row in created if type(row) is self.model]
        self.created_id = str(made[0].pk) if made else ""

    def read_and_note(self) -> None:
        """At the end of the transaction: what fails here must undo the write."""
        if self.subject is None:
            self.note(Written(record_id=self.created_id))
            return
        if self.record_id:
            self.record = self.read_back(self.subject, self.record_id)
        self.note(Written(self.record_id, tuple(self._changed(self.subject))))

    def _changed(self, subject: Subject) -> Sequence[str]:
        if self.record is None or not subject.before:
            return subject.fields
        columns = {each.name for each in subject.columns}
        return [name for name in changed_names(subject.before, self.record) if name in columns]
