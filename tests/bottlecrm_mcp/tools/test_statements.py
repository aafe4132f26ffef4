"""How many statements the calls send: numbers, since times depend on the machine."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

# Those of the token's look-ups, the call's context and its transaction are in each.
MOST: Mapping[tuple[str, str], int] = {
    ("crm_search", "leads"): 15,
    ("crm_search", "cases"): 16,
    ("crm_summarize", "leads"): 14,
    ("crm_get", "leads"): 18,
    ("crm_get", "tasks"): 18,
    ("crm_get", "invoices"): 17,
    ("crm_get", "cases"): 20,
}


@pytest.mark.parametrize("role", ["admin", "user"])
@pytest.mark.parametrize(("tool", "name"), MOST)
def test_call_sends_few_statements(tools_of, alpha, tool, name, role) -> None:
    call, arguments = tools_of(getattr(alpha, role)), {"entity": name}
    if tool == "crm_get":
        arguments["id"] = str(getattr(alpha, name)[1].pk)
    call(tool, **arguments)
    with CaptureQueriesContext(connection) as captured:
        answer: dict[str, Any] = call(tool, **arguments)
    assert "error" not in answer, answer
    assert len(captured) <= MOST[tool, name]
