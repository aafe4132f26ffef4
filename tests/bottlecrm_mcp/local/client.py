"""The official client with a `bcrm-mcp` that it launches."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile

from mcp.client import Client
from mcp.client.extension import ClientExtension
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.agent import MODERN, Agent, Person

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "bottlecrm_mcp"]


def variables(base_url: str, secret: str, **more: str) -> dict[str, str]:
    # Without the tests' own settings: the command needs no Django.
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DJANGO")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "BCRM_BASE_URL": base_url,
        "BCRM_TOKEN": secret,
        **more,
    }


@asynccontextmanager
async def launched(
    base_url: str,
    secret: str,
    mode: str = MODERN,
    person: Person | None = None,
    extensions: Sequence[ClientExtension] = (),
    **more: str,
) -> AsyncIterator[Agent]:
    command, *arguments = COMMAND
    server = StdioServerParameters(
        command=command, args=arguments, env=variables(base_url, secret, **more)
    )
    with TemporaryFile("w+") as errors:
        transport = stdio_client(server, errlog=errors)
        async with Client(
            transport,
            mode=mode,
            elicitation_callback=person,
            extensions=extensions,
            cache=None,
        ) as client:
            yield Agent(client, person)
        errors.seek(0)
        said = errors.read()
        assert secret not in said
        assert said == "", said


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
