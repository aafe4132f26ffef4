"""Many records through the endpoint: one form or one preview for all, and progress."""

from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Task
from tests.agent import LEGACY, MODERN, Agent, Json, Person


@pytest.fixture
def tasks(alpha: Any) -> list[str]:
    with org_context(alpha.org):
        made = Task.objects.bulk_create(
            Task(org=alpha.org, title=f"Task {each}", status="New", created_by=alpha.admin.user)
            for each in range(12)
        )
    return [str(each.pk) for each in made]


def statuses(alpha: Any, tasks: list[str]) -> set[str]:
    with org_context(alpha.org):
        return set(Task.objects.filter(pk__in=tasks).values_list("status", flat=True))


@pytest.mark.parametrize(("era", "person"), [(MODERN, Person()), (MODERN, None), (LEGACY, None)])
def test_agreed_to_once_for_all(
    live: Any, alpha: Any, tasks: list[str], era: str, person: Person | None
) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    change = {"entity": "tasks", "ids": tasks, "data": {"status": "Completed"}}

    async def steps(agent: Agent) -> tuple[str, Json]:
        await agent.declining("crm_update", **change)
        shown, answer = await agent.confirming("crm_update", **change)
        (back,) = answer["way_back"]["calls"]
        seal: Json = {}
        if person is None:
            preview = await agent("crm_update", **back)
            seal = {"confirm": True, "confirmation": preview["confirmation"]}
        await agent.client.call_tool("crm_update", {**back, **seal}, progress_callback=progress)
        return shown, answer

    shown, answer = live(alpha.admin, steps, era=era, person=person)
    assert "update 12 tasks" in shown
    assert '"Task 9"' in shown
    assert "2 more" in shown
    assert len(answer["done"]) == 12
    assert statuses(alpha, tasks) == {"New"}
    assert told[-1] == (12, 12, "12 of 12 tasks done")
