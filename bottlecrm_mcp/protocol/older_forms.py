"""Forms on the revisions before 2026-07-28, where a server asks by a request of its own.

Knows neither Django nor the SDK: both ways to the CRM use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ASK = "elicitation/create"
# Then the form counts as closed without an answer: what the agent says takes the place of none.
ANSWER_SECONDS = 120
CANCEL = "cancel"


def are_declared(params: Mapping[str, Any]) -> bool:
    """Whether a client with these params of `initialize` shows forms."""
    capabilities = params.get("capabilities")
    declared = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    # Declared without a mode means forms.
    return isinstance(declared, dict) and ("form" in declared or "url" not in declared)


def request(form_id: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The request that asks the client for a form."""
    # The oldest revision with forms knows no modes: none means a form.
    shown = {name: value for name, value in params.items() if name != "mode"}
    return {"jsonrpc": "2.0", "id": form_id, "method": ASK, "params": shown}
