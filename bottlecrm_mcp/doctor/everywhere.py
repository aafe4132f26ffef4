"""Cells of the searches that go over all entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bottlecrm_mcp.doctor.agent import Instead, Wrong
from bottlecrm_mcp.doctor.bench import Bench
from bottlecrm_mcp.tools.my_day import MY_DAY
from bottlecrm_mcp.tools.search_all import ALL

COMMON = "a"


class Everywhere:
    """crm_search over all entities, and for what waits for the person."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.agent = bench.agent

    def try_all(self) -> None:
        self._cell(ALL, "crm_search", self._all)
        self._cell(ALL, "refuse no words", partial(self._refuse, ALL))
        self._cell(ALL, "refuse filters", partial(self._refuse, ALL, query=COMMON, filters={}))
        self._cell(MY_DAY, "crm_search", self._my_day)
        self._cell(MY_DAY, "refuse words", partial(self._refuse, MY_DAY, query=COMMON))

    def _cell(self, name: str, what: str, work: Callable[[], None]) -> None:
        self.bench.named_cell(name, what, work)

    def _all(self) -> None:
        found = self.agent.do("crm_search", entity=ALL, query=COMMON, limit=50)
        for entity, total in found["totals"].items():
            alone = self.agent.do("crm_search", entity=entity, query=COMMON, limit=1)["total"]
            if alone != total:
                raise Wrong(f"{total} {entity} are found here, and {alone} alone.")
        self._require_readable(found)
        self.agent.do("crm_search", entity=ALL, query=COMMON)

    def _my_day(self) -> None:
        found = self.agent.do("crm_search", entity=MY_DAY)
        if not found["records"]:
            raise Instead("Nothing waits for this person.")
        self._require_readable(found)
        self.agent.do("crm_search", entity=MY_DAY)

    def _require_readable(self, found: Mapping[str, Any]) -> None:
        """One record of each kind can be had by itself."""
        first = {row["entity"]: row["id"] for row in reversed(found["records"])}
        for entity, record_id in first.items():
            self.agent.do("crm_get", entity=entity, id=record_id)

    def _refuse(self, name: str, **arguments: Any) -> None:
        self.agent.fail("crm_search", "invalid_arguments", entity=name, **arguments)
