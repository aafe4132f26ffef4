"""Plain HTTP to the ASGI application, without a server."""

from typing import Any

import httpx2
from asgiref.sync import async_to_sync

ORIGIN = "http://testserver"
JSON = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2025-11-25",
}
LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def send(
    app: Any,
    *,
    method: str = "POST",
    path: str = "/mcp",
    headers: Any = (),
    body: Any = LIST_TOOLS,
    origin: str = ORIGIN,
) -> httpx2.Response:
    """One request; `headers` is a mapping, or pairs where one is sent twice."""

    async def run() -> httpx2.Response:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=origin) as client:
            content = {"content": body} if isinstance(body, bytes) else {"json": body}
            given = list(headers.items()) if isinstance(headers, dict) else list(headers)
            named = {name.lower() for name, _ in given}
            plain = [(name, value) for name, value in JSON.items() if name.lower() not in named]
            return await client.request(method, path, headers=[*plain, *given], **content)

    # Not asyncio.run: this is how work finds back to this thread, which has the transaction.
    return async_to_sync(run)()


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
