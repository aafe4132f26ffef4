"""Size budgets: how many characters the tools' answers may have, and how many they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import RowQuery
from bottlecrm_mcp.protocol.server import described
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.describe import crm_describe, list_actions
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.get import crm_get
from bottlecrm_mcp.tools.registry import Registry
from bottlecrm_mcp.tools.search import crm_search
from bottlecrm_mcp.tools.searches.all_entities import ALL
from bottlecrm_mcp.tools.searches.my_day import MY_DAY
from bottlecrm_mcp.tools.searches.one_entity import search_entity
from bottlecrm_mcp.tools.truncation import size

TOOLS_LIST = 12_000
# Each is named in the schema of every tool that takes an entity.
PER_OPTIONAL_ENTITY = 200
DESCRIBE = 5_000
LIST_ACTIONS = 5_000
SEARCH_10 = 3_500
SEARCH_20 = 6_000
GET = 8_000


class Measured(NamedTuple):
    """One answer's characters, and how many it may have."""

    what: str
    characters: int
    budget: int

    @property
    def fits(self) -> bool:
        return self.characters <= self.budget


def measure(crm: Crm) -> Iterator[Measured]:
    """The answers that this caller gets, on the records that the caller sees."""
    tools = Registry(crm.catalogue).offered_to(crm.caller)
    listed = [described(tool).model_dump(by_alias=True, exclude_none=True) for tool in tools]
    optional = [each for each in crm.catalogue.optional if each in crm.catalogue.entities]
    budget = TOOLS_LIST + PER_OPTIONAL_ENTITY * len(optional)
    yield Measured("tools/list", size({"tools": listed}), budget)
    yield _measured("crm_search all, 20 rows", SEARCH_20, crm_search, crm, entity=ALL, query="a")
    yield _measured("crm_search my_day, 20 rows", SEARCH_20, crm_search, crm, entity=MY_DAY)
    yield _measured("list_actions", LIST_ACTIONS, list_actions, crm)
    for entity in crm.catalogue.entities:
        name = entity.name
        yield _measured(f"crm_describe {name}", DESCRIBE, crm_describe, crm, entity=name)
        if not crm.may(entity, "read"):
            continue
        for limit, budget in ((10, SEARCH_10), (20, SEARCH_20)):
            what = f"crm_search {name}, {limit} rows"
            yield _measured(what, budget, search_entity, crm, entity=name, limit=limit)
        yield from _largest(crm, entity)


def _largest(crm: Crm, entity: Entity) -> Iterator[Measured]:
    """The largest of the newest records."""
    page = crm.page(entity, RowQuery((), limit=5))
    gets = [
        _measured(f"crm_get {entity.name}", GET, crm_get, crm, entity=entity.name, id=row["id"])
        for row in page.rows
    ]
    if gets:
        yield max(gets, key=lambda each: each.characters)


def _measured(what: str, budget: int, tool: Callable[..., Any], crm: Crm, **given: Any) -> Measured:
    try:
        answer = tool(crm, **given)
    except ToolError as error:
        answer = error.as_dict()
    return Measured(what, size(answer), budget)
