"""Outcome of an attempt: what it said and changed, checked off against what the task wants.

What `verify.py` does not name is a wrong write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.evals.snapshot import Change, Key, Row, Schema

NAMES = ("name", "title", "invoice_title")
RELATIONS = ("assigned_to", "tags", "teams", "contacts", "users")
# What the CRM works out, beside what was written.
WORKED_OUT = re.compile(
    r"updated_at|updated_by_id|stage_changed_at|closed_by_id|kanban_order|stage_id|amount_source"
    r"|resolved_at|first_response|last_activity|sent_at|paid_at|viewed_at|_sla|slug|escalation"
    r"|is_converted|converted_|merge|email_sent|last_.*_at$"
)
PARTS = {
    "payments": r"payment$",
    "line_items": r"line_?item$",
    "watchers": r"watcher",
    "time_entries": r"time_?entry",
}
NUMBER = re.compile(r"-?\d[\d,']*(?:\.\d+)?")


class Wrong(AssertionError):
    """The attempt did not do what the task asks."""


def name_in(row: Row) -> str:
    for column in NAMES:
        if row.get(column):
            return str(row[column])
    return " ".join(row[each] for each in ("first_name", "last_name") if row.get(each))


class Outcome:
    """`before`, `after` and `changes` are of the task's organisation."""

    def __init__(
        self,
        answer: str,
        before: dict[Key, Row],
        after: dict[Key, Row],
        changes: dict[Key, Change],
        schema: Schema,
        tables: dict[str, str],
        people: dict[str, dict[str, Any]],
        mails: list[str] | None,
    ) -> None:
        self.answer = answer
        self.before, self.after = before, after
        self.left = dict(changes)
        self.schema, self.tables, self.people = schema, tables, people
        self.mails = mails

    def says(self, *texts: str) -> None:
        """Each text is in the answer, whatever the case."""
        missing = [each for each in texts if each.lower() not in self.answer.lower()]
        self._require(not missing, f"the answer lacks {missing}: {self.answer!r}")

    def does_not_say(self, *texts: str) -> None:
        said = [each for each in texts if each.lower() in self.answer.lower()]
        self._require(not said, f"the answer has {said}: {self.answer!r}")

    def gives(self, *numbers: float, tolerance: float = 0.005) -> None:
        """Each number is in the answer, to within the tolerance."""
        plain = re.sub(r"\d{4}-\d\d-\d\d", " ", self.answer)
        given = [float(re.sub(r"[,']", "", each)) for each in NUMBER.findall(plain)]
        for number in numbers:
            near = any(abs(each - number) <= tolerance for each in given)
            self._require(near, f"the answer lacks {number}: {self.answer!r}")

    def changed(self, entity: str, name: str, *, also: Iterable[str] = (), **values: Any) -> None:
        """The record has these values now; other columns, but `also`, are as they were.

        Relations to many are the whole set of names, relations to one a name.
        """
        key, row = self._record(entity, name)
        related = {each: values.pop(each) for each in RELATIONS if each in values}
        before, after = self.left.get(key, (self.before.get(key), row))
        self._require(before is not None and after is not None, f"{entity} {name!r} is new or gone")
        self._require_values(row, values, f"{entity} {name!r}")
        self._require_relations(entity, key, related)
        allowed = {self._column(row, each) for each in (*values, *also)}
        surplus = {
            column
            for column in row
            if before.get(column) != row.get(column)
            if column not in allowed and not WORKED_OUT.search(column)
        }
        if not surplus:
            self.left.pop(key, None)

    def created(self, entity: str, **values: Any) -> Row:
        """One record that is new has these values; what is kept with it goes with it."""
        related = {each: values.pop(each) for each in RELATIONS if each in values}
        table = self._table(entity)
        new = [
            (key, after)
            for key, (before, after) in self.left.items()
            if before is None and after is not None and table.search(key[0])
        ]
        fitting = [each for each in new if not self._unlike(each[1], values)]
        self._require(
            bool(fitting),
            f"no new {entity} with {values}, but {[self._shown(row, values) for _, row in new]}",
        )
        key, row = fitting[0]
        self._require_relations(entity, key, related)
        self._with_parts(key)
        return row

    def deleted(self, entity: str, name: str) -> None:
        """The record is gone, and what was kept with it."""
        table = self.tables[entity]
        gone = [
            key
            for key, (before, after) in self.left.items()
            if key[0] == table and after is None and before and name_in(before) == name
        ]
        self._require(bool(gone), f"{entity} {name!r} is still there")
        self._with_parts(gone[0])

    def commented(self, entity: str, name: str, text: str) -> None:
        """A new comment on the record holds the text."""
        key, _ = self._record(entity, name)
        for each, row in list(self._new(re.compile(re.escape(self.tables["comments"]) + "$"))):
            if row["object_id"] == key[1] and text.lower() in row["comment"].lower():
                self.left.pop(each)
                self.left.pop(key, None) if self._is_touched(key) else None
                return
        raise Wrong(f"no new comment on {entity} {name!r} with {text!r}")

    def linked(self, entity: str, name: str, other: str) -> None:
        """A new row relates the record to the other one."""
        key, _ = self._record(entity, name)
        for each, (before, row) in list(self.left.items()):
            columns = self.schema.joins.get(each[0], {})
            ends = {str((row or {}).get(column)) for column in columns}
            if before is None and key[1] in ends:
                ends.remove(key[1])
                if any(name_in(self.after[at]) == other for at in self.after if at[1] in ends):
                    self.left.pop(each)
                    return
        raise Wrong(f"{entity} {name!r} is not linked to {other!r}")

    def mailed(self, *addresses: str) -> None:
        """Those outside the organisation who were mailed, where mails can be seen."""
        if self.mails is None:
            return
        outside = sorted({each for each in self.mails if "bluebird" not in each})
        self._require(outside == sorted(addresses), f"{outside} were mailed")

    def allows(self, *entities: str) -> None:
        """Whatever became of these goes: what the CRM itself does after a write."""
        for entity in entities:
            for key in [each for each in self.left if self._table(entity).search(each[0])]:
                self._with_parts(key)

    def new(self, entity: str) -> list[Row]:
        """The records that were not there before."""
        return [row for _, row in self._new(self._table(entity))]

    def exists(self, entity: str, name: str) -> Row:
        return self._record(entity, name)[1]

    def _is_touched(self, key: Key) -> bool:
        before, after = self.left.get(key, (None, None))
        if before is None or after is None:
            return False
        return all(
            before.get(column) == after.get(column) or WORKED_OUT.search(column) for column in after
        )

    def _table(self, entity: str) -> re.Pattern[str]:
        if entity in PARTS:
            return re.compile(PARTS[entity])
        return re.compile(f"^{re.escape(self.tables[entity])}$")

    def _record(self, entity: str, name: str) -> tuple[Key, Row]:
        table = self.tables[entity]
        found = [
            (key, row)
            for key, row in self.after.items()
            if key[0] == table and name_in(row) == name
        ]
        self._require(bool(found), f"no {entity} {name!r}")
        # Of homonyms the one that was changed.
        found.sort(key=lambda each: each[0] not in self.left)
        return found[0]

    def _new(self, table: re.Pattern[str]) -> Iterator[tuple[Key, Row]]:
        for key, (before, after) in self.left.items():
            if before is None and after is not None and table.search(key[0]):
                yield key, after

    def _with_parts(self, key: Key) -> None:
        """Check a row off, and what is new or gone with it: relations, lines, comments."""
        self.left.pop(key, None)
        records = {table for entity, table in self.tables.items() if entity != "comments"}
        for each, (before, after) in list(self.left.items()):
            row = after or before
            if row is None or each[0] in records or (before is not None and after is not None):
                continue
            links = self.schema.links.get(each[0], {})
            points = any(
                target == key[0] and str(row.get(column)) == key[1]
                for column, target in links.items()
            )
            if points or row.get("object_id") == key[1]:
                self.left.pop(each, None)

    def _require_relations(self, entity: str, key: Key, related: dict[str, Any]) -> None:
        for relation, names in related.items():
            table = f"{key[0]}_{relation}"
            columns = self.schema.joins[table]
            ours = next(column for column, target in columns.items() if target == key[0])
            theirs = next(column for column in columns if column != ours)
            held = {
                self._related_name(columns[theirs], row[theirs])
                for each, row in self.after.items()
                if each[0] == table and row[ours] == key[1]
            }
            self._require(held == set(names), f"{relation} of {entity} are {held}, not {names}")
            for each, (before, after) in list(self.left.items()):
                row = after or before
                if each[0] == table and row is not None and row[ours] == key[1]:
                    self.left.pop(each)

    def _related_name(self, table: str, pk: Any) -> str:
        for person in self.people.values():
            if person["profile"] == str(pk):
                return str(person["name"])
        row = self.after.get((table, str(pk)))
        return name_in(row) if row else str(pk)

    def _require_values(self, row: Row, values: dict[str, Any], subject: str) -> None:
        unlike = self._unlike(row, values)
        shown = self._shown(row, values)
        self._require(not unlike, f"{subject} has {shown}, not {values}")

    def _unlike(self, row: Row, values: dict[str, Any]) -> list[str]:
        return [name for name, value in values.items() if not self._is(row, name, value)]

    def _is(self, row: Row, name: str, value: Any) -> bool:
        column = self._column(row, name)
        held = row.get(column)
        if column.endswith("_id") and not name.endswith("_id"):
            return value == (self._linked(column, held) if held else None)
        if isinstance(value, int | float) and not isinstance(value, bool) and held is not None:
            return abs(float(held) - value) < 0.005
        if isinstance(value, str) and isinstance(held, str):
            return held == value or held.lower().strip() == value.lower()
        if isinstance(value, dict) and isinstance(held, dict):
            return all(held.get(key) == each for key, each in value.items())
        return held == value or (value is None and held == "")

    def _linked(self, column: str, pk: Any) -> str:
        for (_, other), row in self.after.items():
            if other == str(pk):
                return name_in(row)
        return str(pk)

    @staticmethod
    def _column(row: Row, name: str) -> str:
        return name if name in row else f"{name}_id"

    def _shown(self, row: Row, values: dict[str, Any]) -> Row:
        return {name: row.get(self._column(row, name)) for name in values}

    @staticmethod
    def _require(holds: bool, message: str) -> None:
        if not holds:
            raise Wrong(message)
