"""How many statements the calls send: numbers, since times depend on the machine."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

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


@pytest.mark.parametrize(
    ("tool", "more"), [("crm_update", {"data": {"priority": "High"}}), ("crm_delete", {})]
)
def test_record_that_is_not_there_is_looked_for_twice(tools_of, alpha, tool, more) -> None:
    """With the others of the call and by itself, however many of them there are."""
    ids = [str(uuid4()) for _ in range(8)]
    with CaptureQueriesContext(connection) as captured:
        answer = tools_of(alpha.admin)(tool, entity="tasks", ids=ids, **more)
    assert answer["error"]["code"] == "not_found"
    assert sum("xmin" in each["sql"] for each in captured) == 2 * len(ids)
    assert len(captured) < 30 * len(ids)
