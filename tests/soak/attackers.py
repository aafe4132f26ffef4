"""One tenant that means harm, beside all the others who must not feel it."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.soak.site import Person

HELD = 100
BOMBERS = 16
# A server that is held by the throat still answers its load balancer in time.
HEALTH_SECONDS = 3
WORDS = "ab " * 100_000
EXPONENTS = ("1e400000", "1e5000000", "-1e100000000", "9" * 200_000, "0." + "0" * 200_000 + "1")


def tool(name: str, **arguments: Any) -> bytes:
    return _message("tools/call", {"name": name, "arguments": arguments})


def completion(argument: str, value: str) -> bytes:
    ref = {"type": "ref/prompt", "name": "account_brief"}
    return _message(
        "completion/complete", {"ref": ref, "argument": {"name": argument, "value": value}}
    )


def _message(method: str, params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def number_bombs() -> list[bytes]:
    """Short texts that stand for numbers of millions of digits, wherever a number is taken."""
    return [
        bomb
        for number in EXPONENTS
        for bomb in (
            tool("crm_search", entity="leads", filters={"probability": number}),
            tool("crm_search", entity="opportunities", filters={"amount__gte": number}),
            tool("crm_summarize", entity="opportunities", filters={"amount__lte": number}),
            tool(
                "crm_create", entity="leads", data={"last_name": "x", "opportunity_amount": number}
            ),
            tool("crm_create", entity="opportunities", data={"name": "x", "amount": number}),
        )
    ]


def word_bombs() -> list[bytes]:
    """Texts of a hundred thousand words, wherever text becomes a condition."""
    return [
        completion("account", WORDS),
        completion("owner", WORDS),
        tool("crm_search", entity="leads", query=WORDS),
        tool("crm_search", entity="all", query=WORDS),
        tool("crm_search", entity="leads", filters={"assigned_to": WORDS}),
        tool("crm_search", entity="contacts", filters={"account": WORDS, "tags": [WORDS]}),
        tool("crm_search", entity="leads", filters={"company_name__contains": WORDS}),
        tool("crm_create", entity="tasks", data={"title": "x", "account": WORDS}),
    ]


class Attackers:
    """What `people` do together for so many seconds; `problem` is told of what must not be."""

    def __init__(
        self,
        url: str,
        people: Iterable[Person],
        dice: random.Random,
        problem: Callable[[str], None],
    ) -> None:
        self.url = url
        self.tokens = [person.token for person in people]
        self.dice = dice
        self.problem = problem
        self.answers: Counter[str] = Counter()

    async def hold_bodies(self, seconds: float) -> None:
        """Requests whose last byte never comes; half of them drip."""
        await self._together(self._hold, HELD, seconds)

    async def bomb_numbers(self, seconds: float) -> None:
        await self._bomb(number_bombs(), seconds)

    async def bomb_words(self, seconds: float) -> None:
        await self._bomb(word_bombs(), seconds)

    async def _together(self, work: Callable[[int, float], Any], many: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_health(until))
            for number in range(many):
                group.create_task(work(number, until))

    async def _bomb(self, bombs: list[bytes], seconds: float) -> None:
        self.dice.shuffle(bombs)
        endless = itertools.cycle(bombs)
        async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:

            async def throw(number: int, until: float) -> None:
                while time.monotonic() < until:
                    response = await http.post(
                        self.url, content=next(endless), headers=self._headers(number)
                    )
                    self._note(response.status_code, response.text)

            await self._together(throw, BOMBERS, seconds)

    async def _hold(self, number: int, until: float) -> None:
        parts = urlsplit(self.url)
        body = tool("crm_create", entity="leads", data={"last_name": "held"})
        lines = [f"{name}: {value}" for name, value in self._headers(number).items()]
        head = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", *lines]
        head.append(f"Content-Length: {len(body)}")
        while time.monotonic() < until:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write("\r\n".join([*head, "", ""]).encode())
            answer = asyncio.ensure_future(reader.read())
            drips = number % 2
            writer.write(b"" if drips else body[:-1])
            for byte in body[:-1] if drips else b"":
                if answer.done() or time.monotonic() > until:
                    break
                writer.write(bytes([byte]))
                await asyncio.wait([answer], timeout=0.5)
            await asyncio.wait([answer], timeout=max(0, until - time.monotonic()))
            if answer.done() and not answer.exception():
                status = answer.result().partition(b" ")[2][:3].decode()
                self.answers[status] += 1
                if status != "408":
                    self.problem(f"A held body was answered {status or 'by nothing'}")
            answer.cancel()
            writer.close()

    async def _watch_health(self, until: float) -> None:
        async with httpx2.AsyncClient(timeout=HEALTH_SECONDS, trust_env=False) as http:
            while time.monotonic() < until:
                try:
                    said = str((await http.get(f"{self.url}/healthz")).status_code)
                except httpx2.HTTPError as silence:
                    said = type(silence).__name__
                if said != "200":
                    self.problem(f"healthz said {said} under attack")
                await asyncio.sleep(0.5)

    def _headers(self, number: int) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.tokens[number % len(self.tokens)]}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }

    def _note(self, status: int, text: str) -> None:
        self.answers[str(status)] += 1
        if status not in (200, 413, 429):
            self.problem(f"A bomb was answered {status}: {text[:200]}")
