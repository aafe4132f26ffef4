"""What is left if all is written by hand: ASGI, three statements, JSON; nothing is checked."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import Any

from psycopg_pool import AsyncConnectionPool

TOKEN = """
SELECT set_config('app.current_org', token.org_id::text, true) FROM pat_tokens_token token
JOIN demo_crm_profile owner ON owner.id = token.owner_id AND owner.is_active
WHERE token.digest = %s AND token.revoked_at IS NULL
"""
LEADS = """
SELECT json_agg(found) FROM (
    SELECT id, first_name, last_name, company_name, email, status, ARRAY(
        SELECT json_build_object('id', link.profile_id, 'name', person.name)
        FROM demo_crm_lead_assigned_to link
        JOIN demo_crm_profile profile ON profile.id = link.profile_id
        JOIN demo_crm_user person ON person.id = profile.user_id
        WHERE link.lead_id = lead.id
    ) AS assigned_to
    FROM demo_crm_lead lead WHERE status <> 'converted' ORDER BY created_at DESC, id LIMIT %s
) found
"""
TOTAL = """
SELECT count(*) FROM (SELECT 1 FROM demo_crm_lead WHERE status <> 'converted' LIMIT 10001) found
"""

pool = AsyncConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=10, open=False)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    message = json.loads((await receive())["body"])
    secret = dict(scope["headers"])[b"authorization"].removeprefix(b"Bearer ")
    found = await _search(sha256(secret).hexdigest(), message["params"]["arguments"]["limit"])
    result = {
        "resultType": "complete",
        "content": [{"type": "text", "text": _compact(found)}],
        "structuredContent": found,
    }
    body = _compact({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


async def _search(digest: str, limit: int) -> dict[str, Any]:
    async with pool.connection() as connection:
        present = "SELECT set_config('pat_tokens.digest', %s, true)"
        await connection.execute(present, [digest])
        await connection.execute(TOKEN, [digest])
        (rows,) = await (await connection.execute(LEADS, [limit])).fetchone() or ([],)
        (total,) = await (await connection.execute(TOTAL)).fetchone() or (0,)
    return {"entity": "leads", "records": rows, "total": total, "returned": len(rows)}


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        event = (await receive())["type"]
        await (pool.open() if event == "lifespan.startup" else pool.close())
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
