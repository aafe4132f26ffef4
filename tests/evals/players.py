"""Players: who may be given a task, and how. Each answers with what was said and what passed."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.agent import LEGACY, MODERN, Agent, Person
from tests.clients.model import Model, Seen, playing
from tests.evals import figures as kept_figures
from tests.evals import openapi
from tests.evals.attempt import Stage
from tests.evals.endpoints import ENDPOINTS, PATHS
from tests.evals.meter import Figures, Meter
from tests.evals.one_tool import OneTool
from tests.evals.played import Played
from tests.evals.programs import PROGRAMS, Said
from tests.evals.recorder import recording
from tests.evals.scripted import Careless, Hostile, Perfect

SCRIPTED: dict[str, type[Agent]] = {"perfect": Perfect, "careless": Careless, "hostile": Hostile}


@dataclass(frozen=True)
class Play:
    """`faults` are calls that should have been refused; requests are those of the REST API."""

    said: Said
    figures: Figures
    faults: tuple[str, ...] = ()
    requests: int = 0
    characters: int = 0


@dataclass(frozen=True)
class Options:
    """`origin` is the host's, `bin` the folder of the programs; `scripted` puts the scripted model
    behind a program, `endpoint` is the address of a model."""

    origin: str
    bin: Path | None = None
    endpoint: str = ""
    scripted: bool = False


Player = Callable[[Stage, Options], Play]


def player(name: str) -> Player:
    """Who is called so: a scripted agent, a program, a baseline or `openai:MODEL`."""
    kind, _, model = name.partition(":")
    if kind in SCRIPTED:
        return lambda stage, options: asyncio.run(_scripted(SCRIPTED[kind], stage, options))
    if kind == "execute_tool":
        return lambda stage, options: asyncio.run(_one_tool(stage, options))
    if kind == "rest":
        return lambda stage, options: asyncio.run(_over_rest(stage, options))
    if kind in PROGRAMS:
        return lambda stage, options: _program(kind, stage, options)
    if kind in ENDPOINTS:
        return lambda stage, options: asyncio.run(_endpoint(kind, model, stage, options))
    names = ", ".join([*SCRIPTED, "execute_tool", "rest", *PROGRAMS, *ENDPOINTS])
    raise SystemExit(f"AGENT is {name!r}; use one of {names} (the last two with :MODEL).")


async def _scripted(kind: type[Agent], stage: Stage, options: Options) -> Play:
    person = Person(agrees=False) if kind is Hostile else None
    mode = MODERN if person else LEGACY
    async with _connected(options.origin, stage.world.token, mode, person) as client:
        meter = Meter(client)
        await meter.list_tools()
        of = (stage.strange,) if kind is Hostile else ()
        agent: Any = kind(meter, person, *of)  # type: ignore[arg-type]
        answer = await stage.task.perfect(agent)
        faults = (*getattr(agent, "accepted", ()), *getattr(agent, "done", ()))
    return Play(Said(str(answer or "")), meter.figures, faults)


async def _one_tool(stage: Stage, options: Options) -> Play:
    async with _connected(options.origin, stage.world.token, LEGACY) as client:
        tool = OneTool(client)
        await tool.list_tools()
        answer = await stage.task.perfect(Perfect(tool))  # type: ignore[arg-type]
    return Play(Said(str(answer or "")), tool.figures)


async def _over_rest(stage: Stage, options: Options) -> Play:
    """The same calls by the local server, which has nothing but the REST API."""
    with recording(options.origin, stage.world.token, hides_mcp=True) as (address, record):
        env = {"BCRM_BASE_URL": address, "BCRM_TOKEN": stage.world.token, "BCRM_MODE": "rest"}
        program = StdioServerParameters(
            command=sys.executable, args=["-m", "bottlecrm_mcp"], env={**os.environ, **env}
        )
        async with Client(stdio_client(program), mode=LEGACY) as client:
            meter = Meter(client)
            answer = await stage.task.perfect(Perfect(meter))  # type: ignore[arg-type]
    figures = meter.figures
    figures.list(openapi.listed(options.origin, lambda path: _found(stage, path)))
    return Play(Said(str(answer or "")), figures, (), record.requests, record.characters)


def _found(stage: Stage, path: str) -> dict[str, Any] | None:
    status, answer = stage.host.rest("GET", path, stage.world.people["avery"]["token"], None)
    return answer if status == 200 and isinstance(answer, dict) else None


def _program(name: str, stage: Stage, options: Options) -> Play:
    part = Played(stage.task) if options.scripted else None
    with (
        recording(options.origin, stage.world.token) as (address, record),
        playing() if part else nullcontext("") as model,
        tempfile.TemporaryDirectory(prefix=f"evals-{name}-") as folder,
    ):
        if part:
            # One at a time: the scripted model plays one part.
            Model.seen = Seen(part)
        program = PROGRAMS[name](options.bin, model)
        said = program.ask(stage.task.words, f"{address}/mcp", Path(folder))
    return Play(said, record.figures)


async def _endpoint(kind: str, model: str, stage: Stage, options: Options) -> Play:
    part = Played(stage.task) if options.scripted else None
    async with _connected(options.origin, stage.world.token, LEGACY) as client:
        meter = Meter(client)
        instructions = client.instructions or ""
        with playing() if part else nullcontext("") as scripted:
            Model.seen = Seen(part) if part else Model.seen
            url = f"{scripted}/v1/{PATHS[kind]}" if part else options.endpoint
            endpoint = ENDPOINTS[kind](url, model)
            said = await endpoint.ask(stage.task.words, meter, instructions)
    return Play(said, meter.figures)


@asynccontextmanager
async def _connected(
    origin: str, token: str, mode: str, person: Person | None = None
) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{origin}/mcp", http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=person, cache=None) as client:
            yield client


def in_json(play: Play) -> dict[str, Any]:
    """What the results keep of it."""
    figures = play.figures
    return {
        "answer": play.said.answer[:2_000],
        "tokens_in": play.said.tokens_in,
        "tokens_out": play.said.tokens_out,
        "calls": figures.calls - figures.previews,
        "confirmations_asked": figures.previews,
        "listed": figures.listed,
        "asked": figures.asked,
        "answered": figures.answered,
        "dead_ends": figures.dead_ends,
        "tools": figures.tools,
        "figures": kept_figures.of(figures),
        "faults": list(play.faults),
        "rest_requests": play.requests,
        "rest_characters": play.characters,
    }
