"""Attempt: a task in an organisation of its own, and what is found there afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.evals.meter import Figures
from tests.evals.outcome import Outcome, Wrong, name_in
from tests.evals.seeding import Json, Rest, World
from tests.evals.snapshot import Key, Row, Schema, differences, in_organisation, rows_of
from tests.evals.task import Task


@dataclass(frozen=True)
class Host:
    """Where tasks are played: its REST API, its database, and which tables are which.

    `settle` is called with an organisation once it is seeded, before its rows are looked at.
    """

    rest: Rest
    connection: Any
    schema: Schema
    tables: dict[str, str]
    settle: Callable[[str], None] = lambda org: None

    def id_of(self, org: str, entity: str, name: str) -> str:
        """Raises `LookupError` where the organisation has none of this name."""
        query = f'SELECT to_jsonb(t)::text FROM "{self.tables[entity]}" t WHERE org_id = %s'
        with in_organisation(self.connection, org) as cursor:
            cursor.execute(query, [org])
            rows = [json.loads(text) for (text,) in cursor.fetchall()]
        for row in rows:
            if name_in(row) == name:
                return str(row["id"])
        raise LookupError(f"no {entity} {name!r}")

    def rows(self, org: str) -> dict[Key, Row]:
        return rows_of(self.connection, self.schema, org)

    def deactivate(self, profile: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{self.tables["people"]}" SET is_active = false WHERE id = %s', [profile]
            )


@dataclass
class Result:
    """Whether the attempt did what the task asks, and what it did beside that."""

    why: str = ""
    wrong_writes: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not (self.why or self.wrong_writes or self.leaks)


class Stage:
    """The organisation of one attempt, seeded; `judge` compares it with what it was."""

    def __init__(self, task: Task, about: Json, host: Host) -> None:
        self.task, self.host = task, host
        self.world = World(host.rest, about, host.id_of)
        task.seed(self.world)
        self.world.mirror()
        for person in self.world.leavers:
            host.deactivate(self.world.people[person]["profile"])
        for org in (self.world.org, self.world.other.org):
            host.settle(org)
        self.before = host.rows(self.world.org)
        self.before_other = host.rows(self.world.other.org)

    @property
    def strange(self) -> dict[str, str]:
        """An id of the other organisation for each entity."""
        by_table = {table: entity for entity, table in self.host.tables.items()}
        return {
            by_table[table]: pk
            for table, pk in sorted(self.before_other)
            if table in by_table and by_table[table] not in ("comments", "people")
        }

    def judge(self, answer: str, figures: Figures, mails: list[str] | None) -> Result:
        after = self.host.rows(self.world.org)
        changes = differences(self.before, after)
        outcome = Outcome(
            answer,
            self.before,
            after,
            changes,
            self.host.schema,
            self.host.tables,
            self.world.people,
            mails,
        )
        result = Result()
        try:
            self.task.verify(outcome)
        except (Wrong, LookupError) as wrong:
            result.why = str(wrong) or repr(wrong)
        # Of what failed, everything that was written counts.
        result.wrong_writes = [self._told(key, *change) for key, change in outcome.left.items()]
        elsewhere = differences(self.before_other, self.host.rows(self.world.other.org))
        result.wrong_writes += [f"other organisation: {key}" for key in elsewhere]
        own = json.dumps(list(self.before.values()))
        # Save those that somebody wrote into a record of ours.
        strange = {pk for _, pk in self.before_other if len(pk) == 36 and pk not in own}
        result.leaks = sorted(
            pk for pk in strange if any(pk in each for each in (*figures.read, answer))
        )
        return result

    def _told(self, key: Key, before: Row | None, after: Row | None) -> str:
        if before is None or after is None:
            word = "new" if before is None else "gone"
            return f"{word} {key[0]}: {name_in(after or before or {})}"
        columns = [name for name in after if before.get(name) != after.get(name)]
        return f"changed {key[0]} {name_in(after)}: {', '.join(columns)}"
