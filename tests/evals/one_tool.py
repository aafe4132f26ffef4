"""Baseline: the same tools behind one `execute_tool`, as some servers have it.

The list is short then, but whoever calls a tool has to ask for its schema first.
"""

from __future__ import annotations

from typing import Any

from tests.evals.meter import Json, Meter, compact

EXECUTE = {
    "name": "execute_tool",
    "description": "Call one of the tools that find_tools describes, by its name.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "tool": {"type": "string", "description": "Name of the tool."},
            "arguments": {"type": "object", "description": "As its schema has them."},
        },
        "required": ["tool", "arguments"],
    },
}
FIND = {
    "name": "find_tools",
    "description": "Names and purposes of the tools, or the schemas of those that are named.",
    "inputSchema": {
        "type": "object",
        "properties": {"names": {"type": "array", "items": {"type": "string"}}},
    },
}


class OneTool(Meter):
    """Counts what would pass: a look at the names, one at each schema, and the calls."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._schemas: dict[str, Json] = {}
        self._known: set[str] = set()

    async def list_tools(self) -> Any:
        listed = await self.client.list_tools()
        shown = [
            each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in listed.tools
        ]
        self._schemas = {each["name"]: each for each in shown}
        self.figures.list([EXECUTE, FIND])
        return listed

    async def call_tool(self, tool: str, arguments: Json) -> Any:
        if not self._known:
            names = [{"name": name, "title": each.get("title")} for name, each in
                     self._schemas.items()]  # fmt: skip
            self.figures.call("find_tools", {}, compact(names), is_error=False)
        if tool not in self._known:
            self._known.add(tool)
            schema = compact(self._schemas.get(tool, {}))
            self.figures.call("find_tools", {"names": [tool]}, schema, is_error=False)
        result = await self.client.call_tool(tool, arguments)
        text = "".join(getattr(each, "text", "") for each in result.content)
        wrapped = {"tool": tool, "arguments": arguments}
        self.figures.call("execute_tool", wrapped, text, is_error=bool(result.is_error))
        return result
