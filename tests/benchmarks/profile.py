"""Where the CPU of a call goes that asks nothing of the CRM: by package, on the event loop."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import re
import time
from collections import Counter
from typing import Any

from bottlecrm_mcp.asgi import with_mcp
from tests.benchmarks.http_client import META, MODERN
from tests.benchmarks.measure import table

CALLS = 400
PACKAGE = re.compile(r"site-packages/(\w+)|lib/python3\.\d+/(asyncio|json)/")


def run(secret: str) -> str:
    # By the CPU of this thread alone: what others wait and work for is not counted.
    profile = cProfile.Profile(time.thread_time)
    asyncio.run(_call(secret, profile))
    spent: Counter[str] = Counter()
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (path, _, name), (_, _, own, _, _) in stats.items():
        spent[_package(path, name)] += own
    total = sum(spent.values())
    rows = [
        (name, seconds / CALLS * 1000, seconds / total) for name, seconds in spent.most_common(10)
    ]
    return table(("package", "ms a call under the profiler", "part"), rows)


def _package(path: str, name: str) -> str:
    if "pydantic_core" in name:
        return "pydantic"
    if found := PACKAGE.search(path):
        return found[1] or found[2]
    return "bottlecrm_mcp" if "bottlecrm_mcp" in path else "Python"


async def _call(secret: str, profile: cProfile.Profile) -> None:
    import json

    app = with_mcp(None)  # type: ignore[arg-type]
    arguments = {"name": "crm_search", "arguments": {"entity": "leads", "limt": 1}, "_meta": META}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}
    body = json.dumps(message).encode()
    named = {"host": "localhost", "authorization": f"Bearer {secret}", "mcp-name": "crm_search"}
    named |= {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    named |= {"mcp-protocol-version": MODERN, "mcp-method": "tools/call"}
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/mcp", "scheme": "http",
        "raw_path": b"/mcp", "query_string": b"", "server": ("localhost", 80), "client": ("::1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.ensure_future(app({"type": "lifespan"}, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    await outbox.get()

    async def once() -> None:
        sent: list[Any] = []
        received = iter([{"type": "http.request", "body": body}])

        async def receive() -> Any:
            return next(received, None) or await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await app(dict(scope), receive, send)
        assert sent[0]["status"] == 200, sent

    for _ in range(20):
        await once()
    profile.enable()
    for _ in range(CALLS):
        await once()
    profile.disable()
    await inbox.put({"type": "lifespan.shutdown"})
    await life
