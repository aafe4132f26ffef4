"""Searches over all entities, tried, and what is alike for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from bottlecrm_mcp.doctor.acceptance.agent import Instead, Wrong
from bottlecrm_mcp.doctor.acceptance.runner import Runner, Trial
from bottlecrm_mcp.tools.searches.all_entities import ALL
from bottlecrm_mcp.tools.searches.my_day import MY_DAY

COMMON = "a"


class GlobalSearchCells:
    """crm_search over all entities, and for what waits for the person."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.agent = runner.agent

    def trials(self) -> Iterator[Trial]:
        yield Trial(ALL, "crm_search", self._all)
        for what, arguments in self._bad_arguments():
            yield Trial(ALL, f"refuse {what}", partial(self._refuse, **arguments))
        yield Trial(MY_DAY, "crm_search", self._my_day)
        words = partial(self._refuse, entity=MY_DAY, query=COMMON)
        yield Trial(MY_DAY, "refuse words", words)

    def _bad_arguments(self) -> Iterator[tuple[str, dict[str, Any]]]:
        some = self.runner.catalogue.entity_names[0]
        yield "no words", {"entity": ALL}
        yield "filters", {"entity": ALL, "query": COMMON, "filters": {"status": "x"}}
        yield "an unknown entity", {"entity": f"{some}x"}
        yield "an unknown argument", {"entity": some, "page": 1}
        yield "too high a limit", {"entity": some, "limit": 51}

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

    def _refuse(self, **arguments: Any) -> None:
        self.agent.fail("crm_search", "invalid_arguments", "unknown_entity", **arguments)
