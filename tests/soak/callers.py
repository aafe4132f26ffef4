"""Many people who call tools at once: reads, writes, and what must not be possible."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from tests.soak.client import FAULTS, HUNG_UP, NO_ANSWER, NOT_SENT, NOT_THERE, Client, Outcome
from tests.soak.ledger import NAME, Entry, Ledger, State, is_saved, version
from tests.soak.site import Person

Step = Callable[[Person], Awaitable[Outcome]]
MOST_COMMENTS = 20
MOST_AT_ONCE = 5


class Callers:
    """`count` tasks that take turns with all people; two never call as the same one."""

    def __init__(
        self, client: Client, ledger: Ledger, people: tuple[Person, ...], dice: random.Random
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.people = people
        self.dice = dice
        # Part of the calls whose client hangs up before the answer.
        self.impatience = 0.0
        self._unsettled: list[tuple[Entry, dict[str, Any]]] = []
        self._idle: asyncio.Queue[Person] = asyncio.Queue()
        for person in dice.sample(people, len(people)):
            self._idle.put_nowait(person)

    async def fill(self, count: int) -> None:
        """The records that everybody begins with."""
        queue = asyncio.Queue[Person]()
        for person in self.people:
            queue.put_nowait(person)

        async def work() -> None:
            while not queue.empty():
                person = queue.get_nowait()
                for entity in ("accounts", "leads", "tasks", "leads", "tasks"):
                    self._expect(await self.create(person, entity), faults=False)

        await asyncio.gather(*(work() for _ in range(count)))

    async def run(self, count: int, seconds: float, *, faults: bool) -> None:
        until = asyncio.get_running_loop().time() + seconds

        async def work() -> None:
            while asyncio.get_running_loop().time() < until:
                person = await self._idle.get()
                outcome = await self.step()(person)
                self._idle.put_nowait(person)
                self._expect(outcome, faults=faults)
                if outcome.code == NOT_SENT:
                    await asyncio.sleep(0.1)

        await asyncio.gather(*(work() for _ in range(count)))

    async def until_well(self, in_a_row: int, seconds: float) -> float:
        """How long it took until so many calls in a row succeeded, or a problem."""
        clock = asyncio.get_running_loop().time
        started, good = clock(), 0
        while good < in_a_row:
            outcome = await self.search(self.dice.choice(self.people))
            good = good + 1 if outcome.ok else 0
            if clock() - started > seconds:
                self.client.problem(f"Not well again after {seconds} s: {outcome}")
                break
            if not outcome.ok:
                await asyncio.sleep(0.1)
        return clock() - started

    def step(self) -> Step:
        steps: dict[Step, int] = {
            self.search: 30,
            self.get: 10,
            self.summarize: 5,
            self.get_foreign: 5,
            self.relate_to_foreign: 5,
            self.create_any: 25,
            self.update: 10,
            self.update_several: 5,
            self.comment: 5,
            self.delete: 5,
        }
        return self.dice.choices(list(steps), list(steps.values()))[0]

    async def search(self, person: Person) -> Outcome:
        entity = self.dice.choice(list(NAME))
        before = self.ledger.visible(person, entity)
        asked = self.dice.choice([{}, {"query": person.mark}, {"sort": NAME[entity]}])
        outcome = await self._call(person, "crm_search", entity=entity, **asked)
        # A lost organisation context would show as too few rows, not as an error.
        still = [each for each in before if is_saved(each)]
        if outcome.ok and "query" not in asked and outcome.result["total"] < len(still):
            self.client.problem(f"{person.mark} found {outcome.result['total']} of {len(still)}")
        return outcome

    async def get(self, person: Person) -> Outcome:
        entry = self._one_of(person, "leads")
        if entry is None:
            return await self.search(person)
        outcome = await self._call(person, "crm_get", entity="leads", id=entry.id)
        if outcome.ok and outcome.result["record"]["last_name"] != entry.name:
            self.client.problem(f"{entry.name} came back as another record")
        return outcome

    async def summarize(self, person: Person) -> Outcome:
        return await self._call(
            person, "crm_summarize", entity="leads", group_by=["assigned_to", "company_name"]
        )

    async def get_foreign(self, person: Person) -> Outcome:
        entry = self._foreign(person, "leads")
        if entry is None:
            return await self.search(person)
        return self._must_fail(
            person, await self._call(person, "crm_get", entity="leads", id=entry.id)
        )

    async def relate_to_foreign(self, person: Person) -> Outcome:
        account = self._foreign(person, "accounts")
        if account is None:
            return await self.search(person)
        entry = self.ledger.new(person, "tasks")
        data = {"title": entry.name, "status": "New", "priority": "Low", "account": account.id}
        outcome = await self._call(person, "crm_create", entity="tasks", data=data)
        entry.state = State.REFUSED
        return self._must_fail(person, outcome)

    async def create_any(self, person: Person) -> Outcome:
        return await self.create(person, self.dice.choice(["leads", "leads", "tasks"]))

    async def create(self, person: Person, entity: str) -> Outcome:
        entry = self.ledger.new(person, entity)
        data: dict[str, object] = {NAME[entity]: entry.name}
        if entity == "leads":
            data |= {"company_name": version(0), "job_title": version(0), "assigned_to": "me"}
        if entity == "tasks":
            account = self._one_of(person, "accounts")
            if account is None:
                return await self.create(person, "accounts")
            data |= {"status": "New", "priority": "Low"}
            data |= {"account": account.id, "assigned_to": ["me"]}
        create = {"entity": entity, "data": data, "idempotency_key": entry.name}
        outcome = await self._write(person, "crm_create", **create)
        self.ledger.settle(entry, outcome)
        if entry.state is State.OPEN:
            self._unsettled.append((entry, create))
        return outcome

    async def repeat(self) -> int:
        """Make the creates again of which nobody knows whether they came through; how many."""
        unsettled, self._unsettled = self._unsettled, []
        for entry, create in unsettled:
            outcome = await self.client.call(entry.owner, "crm_create", **create)
            self.ledger.settle(entry, outcome)
            if entry.state is not State.SAVED:
                self.client.problem(f"{entry.name} can't be repeated: {outcome}")
        return len(unsettled)

    async def update(self, person: Person) -> Outcome:
        entry = self._one_of(person, "leads")
        if entry is None:
            return await self.create(person, "leads")
        entry.written += 1
        new = version(entry.written)
        before, entry.versions = entry.versions, entry.versions | {new}
        data = {"company_name": new, "job_title": new}
        outcome = await self._write(person, "crm_update", entity="leads", id=entry.id, data=data)
        if outcome.ok:
            # A call that was given up earlier may still be on its way.
            entry.versions = {new} | (before if self.impatience else set())
        elif outcome.changed_nothing:
            entry.versions = before
        return outcome

    async def update_several(self, person: Person) -> Outcome:
        """In one call, which the same key goes on with if a fault cuts it off."""
        entries = self.ledger.saved(person, "leads")[:MOST_AT_ONCE]
        if len(entries) < 2:
            return await self.create(person, "leads")
        entries[0].written += 1
        new = f"{entries[0].name} {version(entries[0].written)}"
        change: dict[str, Any] = {
            "entity": "leads",
            "ids": [each.id for each in entries],
            "data": {"company_name": new, "job_title": new},
            "idempotency_key": new,
        }
        shown = await self._call(person, "crm_update", **change)
        if not shown.ok:
            return shown
        for each in entries:
            each.versions = each.versions | {new}
        change |= {"confirm": True, "confirmation": shown.result["confirmation"]}
        outcome = await self._write(person, "crm_update", **change)
        if not outcome.ok:
            outcome = await self._gone_on(person, change) or outcome
        done = {each["id"] for each in outcome.result.get("done", ())} if outcome.ok else set()
        for each in entries:
            if each.id in done and not self.impatience:
                each.versions = {new}
        return outcome

    async def _gone_on(self, person: Person, change: dict[str, Any]) -> Outcome | None:
        """The same call once more. It is asked about anew if the fault came before all of it."""
        await asyncio.sleep(0.1)
        again = await self._call(person, "crm_update", **change)
        return again if again.ok and again.result.get("done") else None

    async def comment(self, person: Person) -> Outcome:
        entry = self._one_of(person, "leads")
        if entry is None or len(entry.comments) >= MOST_COMMENTS:
            return await self.create(person, "leads")
        text = f"{entry.name} comment {len(entry.comments)}."
        outcome = await self._write(
            person, "crm_action", entity="leads", id=entry.id, action="add_comment",
            params={"comment": text},
        )  # fmt: skip
        if outcome.ok:
            entry.comments.add(text)
            self.ledger.commented.add(entry.name)
        return outcome

    async def delete(self, person: Person) -> Outcome:
        entry = self._one_of(person, "leads")
        if entry is None:
            return await self.create(person, "leads")
        entry.state = State.OPEN
        outcome = await self._write(person, "crm_delete", entity="leads", id=entry.id, confirm=True)
        if outcome.ok:
            entry.state = State.DELETED
        elif outcome.changed_nothing:
            entry.state = State.SAVED
        return outcome

    async def _write(self, person: Person, tool: str, **arguments: object) -> Outcome:
        outcome = await self._call(person, tool, **arguments)
        self.client.tally.writes += outcome.ok
        return outcome

    async def _call(self, person: Person, tool: str, **arguments: object) -> Outcome:
        hangs_up = self.dice.random() < self.impatience
        after = self.dice.uniform(0.002, 0.1) if hangs_up else None
        return await self.client.call(person, tool, hang_up_after=after, **arguments)

    def _must_fail(self, person: Person, outcome: Outcome) -> Outcome:
        if outcome.ok:
            self.client.problem(f"{person.mark} reached a record of another tenant")
        return Outcome() if outcome.code in NOT_THERE else outcome

    def _expect(self, outcome: Outcome, *, faults: bool) -> None:
        allowed = {""} | (FAULTS | {HUNG_UP, NO_ANSWER, NOT_SENT} if faults else set())
        if outcome.code not in allowed:
            self.client.problem(f"Not expected here: {outcome.code} {outcome.text[:300]}")

    def _one_of(self, person: Person, entity: str) -> Entry | None:
        own = self.ledger.saved(person, entity)
        return self.dice.choice(own) if own else None

    def _foreign(self, person: Person, entity: str) -> Entry | None:
        others = [each for each in self.people if each.tenant != person.tenant]
        return self._one_of(self.dice.choice(others), entity)
