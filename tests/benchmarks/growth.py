"""How a search grows: with the records of other organisations, and with one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any
from uuid import uuid4

from django.core.management import call_command

from bottlecrm_mcp.tools.create import crm_create
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.get import crm_get
from bottlecrm_mcp.tools.searches.one_entity import search_entity
from bottlecrm_mcp.tools.summarize import crm_summarize
from bottlecrm_mcp.tools.truncation import size
from bottlecrm_mcp.tools.update import crm_update
from tests.benchmarks import world
from tests.benchmarks.measure import Cost, compare, table
from tests.benchmarks.plot import chart

FOREIGN_PER_ORG = 45_000


@dataclass
class Growth:
    """What calls cost by how many records there are."""

    of: str
    measured: dict[int, dict[str, Cost]]

    @property
    def lines(self) -> dict[str, list[tuple[float, float]]]:
        names = next(iter(self.measured.values()))
        return {
            name: [(count, costs[name].wall_ms) for count, costs in self.measured.items()]
            for name in names
        }

    def table(self) -> str:
        lines = self.lines
        rows = [
            (count, *(cost.wall_ms for cost in costs.values()))
            for count, costs in self.measured.items()
        ]
        ratio = (line[-1][1] / line[0][1] for line in lines.values())
        head = (self.of, *(f"{name} ms" for name in lines))
        return table(head, [*rows, ("last : first", *ratio)])

    def chart(self) -> str:
        return chart(f"A call by the number of {self.of}", self.of, "ms", self.lines)


def calls_of(crm: Crm) -> dict[str, Callable[[], int]]:
    asked: dict[str, Any] = {
        "newest": {},
        "filter and sort": {"filters": {"status": "assigned"}, "sort": "last_name"},
        "words": {"query": "Number 77"},
        "of one person": {"filters": {"assigned_to": "me"}},
    }

    def searching(arguments: dict[str, Any]) -> Callable[[], int]:
        return lambda: size(search_entity(crm, entity="leads", **arguments))

    calls = {name: searching(arguments) for name, arguments in asked.items()}
    calls["summarize"] = lambda: size(
        crm_summarize(crm, entity="leads", group_by=["status", "source"])
    )
    return calls


def foreign(crm: Crm, steps: tuple[int, ...], rounds: int) -> Growth:
    """One's own records stay; others' are added up to each step."""
    growth, made = Growth("leads of others", {}), 0
    for step in steps:
        made += add_foreign(step - made)
        world.analyze()
        growth.measured[step] = compare(calls_of(crm), rounds)
    return growth


def add_foreign(count: int) -> int:
    for part in _parts(count):
        org, admin, _ = world.organisation(f"Foreign {uuid4().hex}")
        world.foreign_leads(org, admin, part)
    return count


def _parts(count: int) -> Iterator[int]:
    while count > 0:
        yield min(count, FOREIGN_PER_ORG)
        count -= FOREIGN_PER_ORG


def own(sizes: tuple[int, ...], rounds: int) -> Growth:
    """With the statistics that `mcp_tune` makes; a fifth of the records are the user's."""
    growth = Growth("own leads", {})
    for count in sizes:
        org, admin, user = world.organisation(f"Own {count}")
        world.fill(org, admin, user, sizes[0])
        if count > sizes[0]:
            world.more_leads(org, user, count - sizes[0])
        world.analyze()
        call_command("mcp_tune", apply=True, stdout=StringIO())
        crm, others = world.crm_of(admin)[0], calls_of(world.crm_of(user)[0])
        calls = calls_of(crm) | known_lead(crm, world.first_lead(org.name))
        calls |= {f"{name} of a user": others[name] for name in ("newest", "words")}
        growth.measured[count] = compare(calls, rounds)
    return growth


def known_lead(crm: Crm, lead: str) -> dict[str, Callable[[], int]]:
    return {
        "get": lambda: size(crm_get(crm, entity="leads", id=lead)),
        "of a tag": lambda: size(
            search_entity(crm, entity="leads", filters={"tags": "Tag 3"}, limit=10)
        ),
        "count": lambda: size(crm_summarize(crm, entity="leads")),
        "create": lambda: size(crm_create(crm, entity="leads", data=new_lead())),
        "update": lambda: size(crm_update(crm, entity="leads", id=lead, data=new_city())),
    }


def new_lead() -> dict[str, str]:
    name = uuid4().hex
    return {"first_name": "Ann", "last_name": name, "email": f"{name}@example.com"}


def new_city() -> dict[str, str]:
    return {"city": uuid4().hex}


def summarize_against_fetching(crm: Crm, rounds: int) -> str:
    """The pipeline by stage, asked for, or added up from pages of fifty."""

    def fetch() -> int:
        total, offset = 0, 0
        while True:
            page = search_entity(
                crm, entity="opportunities", fields=["stage", "amount"], limit=50, offset=offset
            )
            total += size(page)
            if "next_offset" not in page:
                return total
            offset = page["next_offset"]

    costs = compare(
        {
            "crm_summarize": lambda: size(
                crm_summarize(
                    crm, entity="opportunities", group_by=["stage"], measures=["sum:amount"]
                )
            ),
            "pages of crm_search": fetch,
        },
        rounds,
    )
    rows = [(name, cost.wall_ms, cost.queries, cost.characters) for name, cost in costs.items()]
    return table(("way", "ms", "queries", "characters"), rows)
