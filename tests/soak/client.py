"""Tool calls over HTTP, and what became of each."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.soak.site import Person

MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol"
CLIENT = {
    f"{PREFIX}/protocolVersion": MODERN,
    f"{PREFIX}/clientInfo": {"name": "soak", "version": "1"},
    f"{PREFIX}/clientCapabilities": {},
}
MARK = re.compile(r"mk\d{3}[au]")
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# No answer shows how the server is made, whatever went wrong.
REVEALING = re.compile(r"Traceback|<html|<!DOCTYPE|File \"/|psycopg|django", re.IGNORECASE)
SAID_NOTHING_CHANGED = ("Nothing was changed", "nothing was saved")
# Codes of the faults that are provoked; others mean the arguments, or that something is wrong.
FAULTS = frozenset(
    {"unavailable", "crm_error", "not_saved", "timeout", "busy", "unknown_outcome", "http_503"}
)
HUNG_UP, NO_ANSWER, NOT_SENT = "hung_up", "no_answer", "not_connected"
# What is asked for on purpose and must not be had: records of others, and relations to them.
NOT_THERE = frozenset({"not_found", "invalid_value"})


@dataclass(frozen=True)
class Outcome:
    """`result` where the call succeeded; else `code`, and whether it said that nothing changed."""

    code: str = ""
    text: str = ""
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.code

    @property
    def changed_nothing(self) -> bool:
        # The token is looked up before a message is read.
        before = self.code == NOT_SENT or self.code.startswith("http_")
        return before or any(said in self.text for said in SAID_NOTHING_CHANGED)


@dataclass
class Tally:
    """What was seen in one phase."""

    calls: int = 0
    writes: int = 0
    foreign: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def quantile(self, part: float) -> float:
        """Milliseconds of answered calls."""
        return quantile(self.seconds, part) * 1000 if self.seconds else 0.0


def quantile(values: Sequence[float], part: float) -> float:
    return sorted(values)[int(part * (len(values) - 1))]


class Client:
    """Calls tools as anybody; `tally` is replaced from phase to phase.

    `owners` tells whose the records are that are known by their ids.
    """

    def __init__(self, url: str, owners: Mapping[str, Person]) -> None:
        self.url = url
        self.owners = owners
        self.tally = Tally()
        limits = httpx2.Limits(max_connections=100, max_keepalive_connections=100)
        self._http = httpx2.AsyncClient(timeout=30, limits=limits, trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def call(
        self, person: Person, tool: str, *, hang_up_after: float | None = None, **arguments: Any
    ) -> Outcome:
        self.tally.calls += 1
        started = time.perf_counter()
        try:
            async with asyncio.timeout(hang_up_after):
                response = await self._post(person, tool, arguments)
        except TimeoutError:
            return self._failed(Outcome(HUNG_UP))
        except httpx2.ConnectError:
            return self._failed(Outcome(NOT_SENT))
        except httpx2.HTTPError as problem:
            return self._failed(Outcome(NO_ANSWER, type(problem).__name__))
        self.tally.seconds.append(time.perf_counter() - started)
        self._inspect(person, tool, arguments, response.text)
        outcome = self._read(response)
        return outcome if outcome.ok else self._failed(outcome)

    async def _post(self, person: Person, tool: str, arguments: Any) -> httpx2.Response:
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments, "_meta": CLIENT},
        }
        headers = {
            "Authorization": f"Bearer {person.token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
        }
        return await self._http.post(self.url, json=message, headers=headers)

    def _read(self, response: httpx2.Response) -> Outcome:
        try:
            answer = response.json()
        except ValueError:
            self.problem(f"An answer of status {response.status_code} is not JSON")
            return Outcome("not_json", response.text)
        if response.status_code != 200:
            return Outcome(f"http_{response.status_code}", json.dumps(answer))
        if "error" in answer:
            return Outcome(f"rpc_{answer['error']['code']}", json.dumps(answer))
        result = answer["result"]
        if result.get("isError"):
            text = result["content"][0]["text"]
            return Outcome(json.loads(text)["error"]["code"], text)
        return Outcome(result=result["structuredContent"])

    def _inspect(self, person: Person, tool: str, arguments: Any, text: str) -> None:
        if revealing := REVEALING.search(text):
            self.problem(f"An answer of {tool} shows {revealing[0]!r}")
        asked = json.dumps(arguments)
        known = {
            self.owners[each].mark
            for each in ID.findall(text)
            if each in self.owners and each not in asked
        }
        for mark in known.union(MARK.findall(text)):
            if not person.may_see(mark):
                self.tally.foreign += 1
                self.problem(f"{person.mark} was shown a record of {mark} by {tool}")

    def _failed(self, outcome: Outcome) -> Outcome:
        if outcome.code not in NOT_THERE:
            self.tally.failures[outcome.code] += 1
        return outcome

    def problem(self, text: str) -> None:
        self.tally.problems.append(text)
