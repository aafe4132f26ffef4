"""Many records over the REST API, where no transaction holds a record as it was read."""

from dataclasses import replace
from typing import Any

import pytest

from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.rest import gateway as rest
from bottlecrm_mcp.gateway.rest.gateway import RestGateway
from bottlecrm_mcp.tools.registry import Registry
from demo_crm.access.row_security import org_context
from demo_crm.models import Task
from tests.bottlecrm_mcp.gateway.rest.test_gateway import Loopback
from tests.whole_crm.catalogue import CATALOGUE

REGISTRY = Registry(CATALOGUE)


@pytest.fixture
def over_rest(alpha: Any, crm_of: Any) -> Any:
    crm = crm_of(alpha.admin)
    connection = Loopback(crm.gateway)

    def call(tool: str, **arguments: Any) -> Any:
        gateway = RestGateway(CATALOGUE, crm.caller, connection).for_one_call()
        call.gateway = gateway  # type: ignore[attr-defined]
        tools = replace(crm, catalogue=CATALOGUE, gateway=gateway, ahead={})
        return REGISTRY.get(tool).call(tools, arguments)

    call.connection = connection  # type: ignore[attr-defined]
    return call


def test_read_again_before_each_write(
    over_rest: Any, alpha: Any, tasks_of: Any, confirmed: Any, monkeypatch: Any
) -> None:
    tasks = tasks_of(4)
    connection = over_rest.connection
    write = connection.write

    def interrupted(*given: Any) -> Any:
        if len(connection.written) == 1:
            with org_context(alpha.org):
                Task.objects.filter(pk=tasks[3].pk).update(priority="High")
        return write(*given)

    monkeypatch.setattr(connection, "write", interrupted)
    change = {
        "entity": "tasks",
        "ids": [str(each.pk) for each in tasks],
        "data": {"status": "Completed"},
    }
    preview, answer = confirmed(over_rest, "crm_update", **change)
    assert preview["count"] == 4
    assert [each["name"] for each in answer["done"]] == ["Task 000", "Task 001", "Task 002"]
    assert answer["refused"][0]["reason"] == "It was changed since the preview."
    assert len(connection.written) == 3
    with pytest.raises(GatewayError, match="can't recognise repeated calls"):
        over_rest("crm_update", **change, idempotency_key="k")


def test_out_of_time(
    over_rest: Any, alpha: Any, tasks_of: Any, confirmed: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(rest, "CALL_SECONDS", 1)
    asked = {"entity": "tasks", "ids": [str(each.pk) for each in tasks_of(3)]}
    _, answer = confirmed(over_rest, "crm_delete", **asked)
    assert len(answer["done"]) == 1
    assert answer["not_reached"]["count"] == 2
    assert answer["not_reached"]["next"] == "A call with these alone goes on."


def test_client_that_leaves_stops_it(
    over_rest: Any, tasks_of: Any, confirmed: Any, monkeypatch: Any
) -> None:
    connection = over_rest.connection
    write = connection.write

    def left(*given: Any) -> Any:
        over_rest.gateway.give_up()
        return write(*given)

    monkeypatch.setattr(connection, "write", left)
    asked = {"entity": "tasks", "ids": [str(each.pk) for each in tasks_of(3)]}
    _, answer = confirmed(over_rest, "crm_delete", **asked)
    assert len(answer["done"]) == 1
    assert answer["not_reached"]["count"] == 2
