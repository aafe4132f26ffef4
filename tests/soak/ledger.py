"""What was written, by what the server said: acknowledged, refused, or left open."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.soak.client import Client, Outcome
from tests.soak.site import Person

FIELDS = {
    "accounts": ["name", "website"],
    "leads": ["last_name", "company_name", "job_title", "assigned_to"],
    "tasks": ["title", "account", "assigned_to"],
}
# Fewer than the pool has connections.
READERS = 4
NAME = {"accounts": "name", "leads": "last_name", "tasks": "title"}


class State(Enum):
    SAVED = "saved"
    OPEN = "open"
    REFUSED = "refused"
    DELETED = "deleted"


@dataclass
class Entry:
    """One record. `versions` are those that it may have: the last acknowledged, and open ones."""

    owner: Person
    entity: str
    name: str
    state: State = State.OPEN
    id: str = ""
    versions: set[str] = field(default_factory=lambda: {version(0)})
    written: int = 0
    comments: set[str] = field(default_factory=set)


def version(number: int) -> str:
    return f"version {number}"


class Ledger:
    """Everything that was sent; each record is written by its owner only, one call at a time."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.commented: set[str] = set()
        self.owners: dict[str, Person] = {}
        self._of: dict[tuple[int, str], list[Entry]] = {}

    def new(self, owner: Person, entity: str) -> Entry:
        entry = Entry(owner, entity, f"{owner.mark}x{len(self.entries):06d}")
        self.entries[entry.name] = entry
        self._of.setdefault((owner.tenant, entity), []).append(entry)
        return entry

    def settle(self, entry: Entry, outcome: Outcome) -> None:
        """Note what became of a create."""
        if outcome.ok:
            entry.state, entry.id = State.SAVED, outcome.result["id"]
            self.owners[entry.id] = entry.owner
        elif outcome.changed_nothing:
            entry.state = State.REFUSED

    def saved(self, owner: Person, entity: str) -> list[Entry]:
        return [each for each in self.visible(owner, entity) if each.owner == owner]

    def visible(self, person: Person, entity: str) -> list[Entry]:
        """The records that this person's search has to count at least."""
        return [
            each
            for each in self._of.get((person.tenant, entity), ())
            if is_saved(each) and person.may_see(each.owner.mark)
        ]


def is_saved(entry: Entry) -> bool:
    return entry.state is State.SAVED


async def check(client: Client, ledger: Ledger, people: Iterable[Person]) -> None:
    """Read everything back as the tenants' administrators, and tell of what is wrong."""
    found: Counter[str] = Counter()

    gently = asyncio.Semaphore(READERS)

    async def read(person: Person, entity: str) -> None:
        async with gently:
            async for row in rows(client, person, entity):
                found[row[NAME[entity]]] += 1
                _check_row(client, ledger, entity, row)

    admins = [each for each in people if each.role == "ADMIN"]
    await asyncio.gather(*(read(person, entity) for person in admins for entity in FIELDS))
    for name, entry in ledger.entries.items():
        if found[name] > 1:
            client.problem(f"{name} was written {found[name]} times")
        if entry.state is State.SAVED and not found[name]:
            client.problem(f"{name} was acknowledged and is lost")
        if entry.state in (State.REFUSED, State.DELETED) and found[name]:
            client.problem(f"{name} is there although it was {entry.state.value}")
    await _check_comments(client, ledger)


async def rows(client: Client, person: Person, entity: str) -> AsyncIterator[dict[str, Any]]:
    offset: int | None = 0
    while offset is not None:
        page = await client.call(
            person, "crm_search", entity=entity, fields=FIELDS[entity], sort="created_at",
            limit=50, offset=offset,
        )  # fmt: skip
        if not page.ok:
            client.problem(f"{entity} of {person.mark} can't be read back: {page.text}")
            return
        for row in page.result["records"]:
            yield row
        offset = page.result.get("next_offset")


def _check_row(client: Client, ledger: Ledger, entity: str, row: dict[str, Any]) -> None:
    entry = ledger.entries.get(row[NAME[entity]])
    if entry is None:
        client.problem(f"{row[NAME[entity]]!r} was never written")
        return
    if entity != "accounts" and len(row.get("assigned_to", ())) != 1:
        client.problem(f"{entry.name} is half written: assigned to {row.get('assigned_to')}")
    if entity == "tasks" and not row.get("account"):
        client.problem(f"{entry.name} is half written: it has no account")
    if entity == "leads":
        if row.get("company_name") != row.get("job_title"):
            client.problem(f"{entry.name} is half changed")
        if row.get("company_name") not in entry.versions:
            client.problem(f"{entry.name} has {row.get('company_name')}, not {entry.versions}")


async def _check_comments(client: Client, ledger: Ledger) -> None:
    for name in sorted(ledger.commented):
        entry = ledger.entries[name]
        if entry.state is State.SAVED:
            answer = await client.call(
                entry.owner, "crm_get", entity="leads", id=entry.id, include=["comments"]
            )
            lost = {each for each in entry.comments if each not in str(answer.result)}
            if lost:
                client.problem(f"{name} has lost comments: {lost}")
    ledger.commented.clear()
