"""A search beside the same answer of other servers and of the REST list, on the same rows.

The others are no dependency of this project. They need an environment of their own, without which
this section is left out:

    python -m venv /tmp/peers && /tmp/peers/bin/pip install -e '.[demo]' django-mcpz fastmcp
    PEERS_PYTHON=/tmp/peers/bin/python make bench BENCH='--only peers'
"""

from __future__ import annotations

import os
import statistics
from contextlib import ExitStack

from bottlecrm_mcp.tools.crm import Crm
from tests.benchmarks.hosted import ROWS, rest_list, search
from tests.benchmarks.http_client import tool
from tests.benchmarks.measure import table
from tests.benchmarks.peers.turns import Turns, in_turns
from tests.benchmarks.serving import served

# The interpreter that has django-mcpz and FastMCP beside what the demo needs.
PYTHON = os.environ.get("PEERS_PYTHON", "")
PEERS = {
    "django-mcpz, plain ORM": ("mcpz", "tests.benchmarks.peers.settings"),
    "FastMCP, plain ORM": ("fast", "tests.benchmarks.settings"),
    "by hand: ASGI and SQL": ("floor", "tests.benchmarks.settings"),
}


def run(crm: Crm, secret: str, rounds: int) -> str:
    leads = crm.entity("leads")
    message = tool(secret, "crm_search", entity="leads", limit=ROWS)
    with ExitStack() as stack:
        ours = stack.enter_context(served(1))
        servers = {
            "crm_search": (ours, search(secret, leads).message),
            "its REST list": (ours, rest_list(secret, leads).message),
        }
        for name, (module, settings) in PEERS.items():
            application = f"tests.benchmarks.peers.{module}:application"
            peer = served(1, application, settings, PYTHON, message)
            servers[name] = (stack.enter_context(peer), message)
        turns = in_turns(servers, rounds)
    return table(
        ("answer by", "CPU ms", "of crm_search", "PostgreSQL CPU ms", "of it", "p50 ms", "bytes"),
        [_row(name, each, turns["crm_search"]) for name, each in turns.items()],
    )


def _row(name: str, turns: Turns, first: Turns) -> tuple[object, ...]:
    return (
        name,
        statistics.median(turns.cpu),
        turns.ratio(first, "cpu"),
        statistics.median(turns.database),
        turns.ratio(first, "database"),
        statistics.median(turns.wall),
        turns.characters,
    )
