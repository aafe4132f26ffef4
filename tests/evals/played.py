"""Played part: the scripted model makes the calls of a task's `perfect.py` through a real program.

It shows that a program connects, calls and answers; it is no model, and says nothing of one.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from types import SimpleNamespace
from typing import Any

import mcp_types as types

from tests.agent import Agent
from tests.evals.task import Task

SECONDS = 120
Step = tuple[str, dict[str, Any]] | str


class Played:
    """A part for tests.clients.model: from the results so far to the next call."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._steps: queue.Queue[Step] = queue.Queue()
        self._results: queue.Queue[str] = queue.Queue()
        self._given = 0
        self._last: Step | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def __call__(self, results: list[str]) -> Step:
        # A program may ask again what it was answered before.
        if self._last is not None and len(results) == self._given:
            return self._last
        if len(results) > self._given:
            self._given = len(results)
            self._results.put(results[-1])
        self._last = self._steps.get(timeout=SECONDS)
        return self._last

    def _run(self) -> None:
        async def through() -> str:
            client: Any = SimpleNamespace(call_tool=self._call)
            return str(await self._task.perfect(Agent(client)) or "Done.")

        try:
            self._steps.put(asyncio.run(through()))
        except Exception as problem:  # the program has to come to an end
            self._steps.put(f"The script ended: {problem!r}")

    async def _call(self, tool: str, arguments: dict[str, Any]) -> types.CallToolResult:
        self._steps.put((tool, arguments))
        text = await asyncio.to_thread(self._results.get, timeout=SECONDS)
        found = answer_in(text)
        content = types.TextContent(type="text", text=json.dumps(found))
        is_error = "error" in found and "entity" not in found
        return types.CallToolResult(
            content=[content], structured_content=None if is_error else found, is_error=is_error
        )


def answer_in(text: str) -> dict[str, Any]:
    """The tool's JSON within what a program makes of it, JSON within JSON however often."""
    decoder = json.JSONDecoder()
    for _ in range(5):
        for start in (at for at, each in enumerate(text) if each == "{"):
            try:
                found, _end = decoder.raw_decode(text, start)
            except ValueError:
                continue
            if isinstance(found, dict) and found.keys() & {"entity", "error", "actions"}:
                return found
        try:
            text = text.encode().decode("unicode_escape") if "\\" in text else text
        except UnicodeDecodeError:
            break
    raise ValueError(f"no answer of a tool in {text[:300]!r}")
