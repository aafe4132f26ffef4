"""Tool registry: the tools of one catalogue, and which of them a caller is offered."""

from __future__ import annotations

from bottlecrm_mcp.catalogue.model import Catalogue
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.tools.action import ACTION
from bottlecrm_mcp.tools.create import CREATE
from bottlecrm_mcp.tools.delete import DELETE
from bottlecrm_mcp.tools.describe import DESCRIBE, LIST_ACTIONS
from bottlecrm_mcp.tools.get import GET
from bottlecrm_mcp.tools.research import RESEARCH
from bottlecrm_mcp.tools.search import SEARCH
from bottlecrm_mcp.tools.summarize import SUMMARIZE
from bottlecrm_mcp.tools.tool import Tool
from bottlecrm_mcp.tools.update import UPDATE

# In the order in which clients list them.
TOOLS = (SEARCH, SUMMARIZE, GET, CREATE, UPDATE, DELETE, ACTION, DESCRIBE, LIST_ACTIONS)


class Registry:
    """The tools for one catalogue, in a fixed order."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.tools = tuple(tool.serving(catalogue.entity_names) for tool in TOOLS)
        self._by_name = {tool.name: tool for tool in self.tools}
        self._research = {tool.name: tool for tool in RESEARCH}

    def get(self, name: str, *, research: bool = False) -> Tool | None:
        """The tool of this name; `research` says that the client uses those of `tools.research`."""
        return self._by_name.get(name) or (self._research.get(name) if research else None)

    def offered_to(self, caller: Caller, *, research: bool = False) -> list[Tool]:
        """The tools that this caller's scopes leave any use for."""
        tools = (*self.tools, *(RESEARCH if research else ()))
        return [tool for tool in tools if not tool.needs or self._is_of_use(caller, tool)]

    def _is_of_use(self, caller: Caller, tool: Tool) -> bool:
        resources = {
            entity.resource_for(tool.needs)
            for entity in self.catalogue.entities
            if tool.needs == "read" or not entity.is_read_only
        }
        return any(caller.may(each, tool.needs) for each in resources)
