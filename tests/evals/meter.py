"""Meter: counts what passes between an agent and the tools."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from mcp.shared.exceptions import MCPError

Json = dict[str, Any]
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Figures:
    """Calls, and characters of what was listed, asked and answered.

    A dead end is a call that ended in an error, a preview one that waits for a confirmation;
    `read` is every answer, for whoever looks for what must not be in it.
    """

    calls: int = 0
    listed: int = 0
    asked: int = 0
    answered: int = 0
    dead_ends: list[str] = field(default_factory=list)
    previews: int = 0
    tools: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def list(self, tools: list[Json]) -> None:
        self.listed = sum(len(compact(each)) for each in tools)

    def call(self, tool: str, arguments: Json, answer: str, *, is_error: bool) -> None:
        self.calls += 1
        self.tools.append(tool)
        given = compact(arguments)
        self.asked += len(tool) + len(given)
        self.answered += len(answer)
        # An error repeats an id that was asked for; that says nothing of the record.
        self.read.append(UUID.sub(lambda each: "" if each[0] in given else each[0], answer))
        if is_error:
            self.dead_ends.append(f"{tool} {given}: {answer}"[:500])
        elif '"confirmation_required":true' in answer.replace(" ", "")[:200]:
            self.previews += 1


class Meter:
    """Stands before a client of the SDK, and counts its calls."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.figures = Figures()

    async def list_tools(self) -> Any:
        listed = await self.client.list_tools()
        shown = [
            each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in listed.tools
        ]
        self.figures.list(shown)
        return listed

    async def call_tool(self, tool: str, arguments: Json) -> Any:
        try:
            result = await self.client.call_tool(tool, arguments)
        except MCPError as refusal:
            self.figures.call(tool, arguments, str(refusal), is_error=True)
            raise
        text = "".join(getattr(each, "text", "") for each in result.content)
        self.figures.call(tool, arguments, text, is_error=bool(result.is_error))
        return result


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
