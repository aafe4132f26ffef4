"""What an agent may write into logs, and what it may keep out of them."""

import json
from typing import Any

import pytest

from bottlecrm_mcp.models import KeyedWrite
from demo_crm.access.row_security import org_context
from demo_crm.models import Lead
from pat_tokens.models import Event, Token
from tests.bottlecrm_mcp.hosted.http import LIST_TOOLS

FORGED = "x\r\n2026-01-01 00:00:00 INFO bottlecrm_mcp: forged\u2028line\x1b[2J"
META = "io.modelcontextprotocol"
CREATE = {"entity": "leads", "data": {"last_name": "Logged"}}


def called(tool: Any, arguments: Any, client: Any = None) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments}
    if client is not None:
        params["_meta"] = {
            f"{META}/protocolVersion": "2026-07-28",
            f"{META}/clientInfo": {"name": client, "version": "1"},
            f"{META}/clientCapabilities": {},
        }
    return LIST_TOOLS | {"method": "tools/call", "params": params}


def modern(tool: str) -> list[tuple[str, str]]:
    return [
        ("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", tool)
    ]  # fmt: skip


def everywhere(attack: Any, text: str) -> None:
    """Put a text wherever a client can put one."""
    plain = text.replace("\u2028", "").encode()
    for body in (
        LIST_TOOLS | {"method": text},
        LIST_TOOLS | {"id": text},
        LIST_TOOLS | {"params": {"cursor": text, "_meta": {"progressToken": text}}},
        LIST_TOOLS | {"method": "resources/read", "params": {"uri": text}},
        LIST_TOOLS | {"method": "prompts/get", "params": {"name": text}},
        called(text, {}),
        called("crm_search", {"entity": text}),
        called("crm_get", {"entity": "leads", "id": text}),
        called("crm_action", {"entity": "leads", "id": text, "action": text}),
        called("crm_create", {"entity": "leads", "data": {text: text}}),
    ):
        attack(body)
    for name in ("User-Agent", "X-Request-ID", "Referer", "Accept", "Mcp-Name", "Mcp-Session-Id"):
        attack(LIST_TOOLS, [(name, plain)])
    attack(called("crm_create", CREATE, client=text), modern("crm_create"))
    attack(
        LIST_TOOLS, path="/mcp?x=" + "".join(each for each in text if each.isalnum() or each == "_")
    )


def test_no_line_is_forged(attack: Any, logs_hold_no_token: Any) -> None:
    everywhere(attack, FORGED)
    for record in logs_hold_no_token.records:
        if record.name.startswith(("bottlecrm_mcp", "pat_tokens", "django")):
            said = record.getMessage()
            assert not any(each in said for each in "\r\n\u2028\x1b"), said


def test_token_put_everywhere_is_in_no_log(attack: Any, secret: str) -> None:
    everywhere(attack, secret)


CLIENTS = ["x" * 10_000, "a\x00b", "\ud800", "\u202e\x1b[2J", "", 5, None, {"a": 1}]


@pytest.mark.parametrize("client", CLIENTS, ids=repr)
def test_client_cannot_keep_its_writes_out_of_the_log(
    attack: Any, alpha_admin: Any, client: Any, logs_hold_no_token: Any
) -> None:
    message = called("crm_create", CREATE, client=client)
    response = attack(json.dumps(message).encode(), modern("crm_create"))
    created = Lead.objects.filter(last_name="Logged")
    with org_context(alpha_admin.org):
        assert Event.objects.filter(tool="crm_create", outcome="done").count() == created.count()
    assert response.status_code in (200, 400)
    assert "could not be recorded" not in logs_hold_no_token.text


def test_token_as_an_argument_is_not_stored(attack: Any, alpha_admin: Any, secret: str) -> None:
    attack(called("crm_search", {"entity": "leads"}), [("User-Agent", secret)])
    attack(called("crm_delete", {"entity": secret, "id": secret}, secret), modern("crm_delete"))
    attack(called("crm_delete", {"entity": "leads", "id": secret}))
    attack(called("crm_create", {**CREATE, "idempotency_key": secret}))
    with org_context(alpha_admin.org):
        entries = list(Event.objects.filter(tool="crm_delete").values())
        tokens = list(Token.objects.values())
        kept = list(KeyedWrite.objects.values())
    assert len(entries) == 2
    assert len(kept) == 1
    assert secret[:13] in tokens[0]["last_used_client"]
    assert secret[13:30] not in str(entries + tokens + kept)
