"""`idempotency_key`: a call that is repeated under its key is answered, and not done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bottlecrm_mcp.catalogue.model import Entity
from bottlecrm_mcp.gateway.base import EarlierWrite, WriteKey
from bottlecrm_mcp.tools.crm import Crm


def write_key(
    crm: Crm, entity: Entity, key: str, tool: str, arguments: Mapping[str, Any]
) -> tuple[WriteKey | None, EarlierWrite | None]:
    """The key, if there is one, and the write that was made under it before."""
    if not key:
        return None, None
    text = json.dumps([tool, arguments], sort_keys=True, ensure_ascii=False)
    # Of the key, too: it is the client's, who may put anything into it.
    made = WriteKey(_digest(key), _digest(text), tool, entity.name, arguments.get("id", ""))
    return made, crm.gateway.written_before(entity, made)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
