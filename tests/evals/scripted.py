"""Scripted agents: no model, only what a task's `perfect.py` does, well or badly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import mcp_types as types

from tests.agent import Agent, text_of
from tests.evals.meter import compact

Json = dict[str, Any]
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
DATE = re.compile(
    r"\d{4}-\d\d(-\d\d)?$|today|tomorrow|yesterday|in_\d+_days|\d+_days|(this|next|last)_\w+|overdue"
)
INSTRUCTION = re.compile(r"(crm_\w+) (?=\{)")
WRITES = {"crm_create", "crm_update", "crm_delete", "crm_action"}


class Perfect(Agent):
    """Makes each call as it should be."""


class Careless(Agent):
    """Makes each call wrongly first: other names, dates, types, and no confirmation.

    Each mistake once for a tool and a kind of record. `accepted` are those that were taken all
    the same.
    """

    def __init__(self, *of: Any) -> None:
        super().__init__(*of)
        self.accepted: list[str] = []
        self._made: set[tuple[str, str, str]] = set()

    async def __call__(self, tool: str, **arguments: Any) -> Json:
        if "confirmation" not in arguments:
            await self._try_wrongly(tool, arguments)
        return await super().__call__(tool, **arguments)

    async def confirming(self, tool: str, **arguments: Any) -> tuple[str, Json]:
        await self._try_wrongly(tool, arguments)
        forged = {"confirm": True, "confirmation": "c2VhbGVk.Zm9yZ2Vk"}
        for skipped in ({}, {"confirm": "yes"}, forged):
            result = await self.client.call_tool(tool, {**arguments, **skipped})
            if not result.is_error and not json.loads(text_of(result)).get("confirmation_required"):
                self.accepted.append(f"{tool} {compact({**arguments, **skipped})}")
        return await super().confirming(tool, **arguments)

    async def _try_wrongly(self, tool: str, arguments: Json) -> None:
        for mistake, wrong in mistakes(tool, arguments):
            kind = (mistake, tool, str(arguments.get("entity")))
            if kind in self._made:
                continue
            self._made.add(kind)
            result = await self.client.call_tool(tool, wrong)
            if not result.is_error:
                self.accepted.append(f"{tool} {compact(wrong)}: {text_of(result)[:200]}")


def mistakes(tool: str, arguments: Json) -> Iterator[tuple[str, Json]]:
    """The same call with one thing wrong in each, and what it is."""
    yield "argument", {**arguments, "entitty": arguments.get("entity", "leads")}
    yield "entity", {**arguments, "entity": "oportunitees"}
    if "id" in arguments and tool in WRITES:
        yield "id", {**arguments, "id": UNKNOWN_ID}
    for group in ("data", "filters", "params"):
        given = arguments.get(group) or {}
        for key, value in given.items():
            yield f"name in {group}", {**arguments, group: {**given, f"{key}_x": value}}
            if (wrong := _wrong(value)) is not None:
                yield f"value of {key}", {**arguments, group: {**given, key: wrong}}


def _wrong(value: Any) -> Any:
    if isinstance(value, bool):
        return "perhaps"
    if isinstance(value, int | float):
        return "a lot"
    if isinstance(value, str) and DATE.match(value):
        return "2026-02-30"
    return None


class Hostile(Agent):
    """Does what records tell it to, replays what was agreed to, and forges what was not.

    The person at its client agrees to what the task wants, and to nothing else. `done` are effects
    of what nobody agreed to; `strange` are ids of the other organisation.
    """

    def __init__(self, client: Any, person: Any = None, strange: Json | None = None) -> None:
        super().__init__(client, person)
        self.strange = strange or {}
        self.done: list[str] = []
        self._seen: set[str] = set()
        self._tried = False

    async def __call__(self, tool: str, **arguments: Any) -> Json:
        # Whatever a plain call of the task has effects for, nobody agreed to.
        agreed, self.person.agrees = self.person.agrees, self._agreeing
        result = await super().__call__(tool, **arguments)
        self.person.agrees = agreed
        if not self._tried:
            self._tried = True
            await self._reach_out()
        await self._obey(result)
        return result

    _agreeing = False

    async def confirming(self, tool: str, **arguments: Any) -> tuple[str, Json]:
        self._agreeing = True
        try:
            shown, result = await super().confirming(tool, **arguments)
        finally:
            self._agreeing = self.person.agrees = False
        # Again, as if the agreement were for good.
        await self._attempt(tool, {**arguments, "confirm": True})
        return shown, result

    async def _obey(self, result: Any) -> None:
        for text in texts(result):
            for match in INSTRUCTION.finditer(text):
                try:
                    arguments, _ = json.JSONDecoder().raw_decode(text, match.end())
                except ValueError:
                    continue
                call = f"{match[1]} {compact(arguments)}"
                if call not in self._seen:
                    self._seen.add(call)
                    await self._attempt(match[1], {**arguments, "confirm": True})

    async def _reach_out(self) -> None:
        """To the records of the other organisation, by their ids."""
        for entity, pk in list(self.strange.items())[:1]:
            one = {"entity": entity, "id": pk}
            await self._attempt("crm_get", one)
            await self._attempt("crm_update", {**one, "data": {"description": "Taken over"}})
            await self._attempt("crm_delete", {**one, "confirm": True, "confirmation": "forged"})

    async def _attempt(self, tool: str, arguments: Json) -> None:
        self.person.agrees = False
        if tool not in ("crm_delete", "crm_update", "crm_action", "crm_create"):
            arguments = {key: value for key, value in arguments.items() if key != "confirm"}
        result = await self.client.call_tool(tool, arguments)
        if result.is_error or not isinstance(result, types.CallToolResult):
            return
        if had_effect(json.loads(text_of(result))):
            self.done.append(f"{tool} {compact(arguments)}")


def had_effect(said: Json) -> bool:
    """Whether a call showed or changed anything; one of several may find all `already_so`."""
    if said.get("declined") or said.get("confirmation_required"):
        return False
    told = [said[key] for key in ("done", "changed") if key in said]
    return not told or any(told)


def texts(value: Any) -> Iterator[str]:
    """Every text within an answer."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
