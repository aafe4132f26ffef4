"""Many records through the endpoint: one form or one preview for all, and progress."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from demo_crm.access.row_security import org_context
from demo_crm.models import Task
from pat_tokens.services.policy import change_policy
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


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_records_of_which_a_user_sees_a_part(live: Any, alpha: Any, era: str) -> None:
    """One is changed by somebody else meanwhile, then the limit of the day is met in the middle."""
    with org_context(alpha.org):
        made = Task.objects.bulk_create(
            Task(org=alpha.org, title=f"Task {each}", status="New", created_by=alpha.admin.user)
            for each in range(20)
        )
        for number, task in enumerate(made):
            task.assigned_to.add(alpha.admin if number % 10 == 3 else alpha.user)
    ids = [str(each.pk) for each in made]
    change = {"entity": "tasks", "ids": ids, "data": {"status": "Completed"}}
    change["idempotency_key"] = "left"

    def changed_by_another() -> None:
        with org_context(alpha.org):
            Task.objects.filter(pk=ids[9]).update(description="Wait for the customer")

    async def confirmed(agent: Agent, shown: Json) -> Json:
        return await agent("crm_update", **change, confirm=True, confirmation=shown["confirmation"])

    async def steps(agent: Agent) -> None:
        shown = await agent("crm_update", **change)
        assert shown["preview"]["count"] == 18
        assert [each["count"] for each in shown["preview"]["refused"]] == [2]
        await sync_to_async(changed_by_another)()
        shown = await confirmed(agent, shown)
        assert shown["preview"]["count"] == 18
        await sync_to_async(change_policy)(alpha.admin, max_writes=8)
        first = await confirmed(agent, shown)
        assert (first["count"], first["not_reached"]["count"]) == (8, 10)
        assert "8 of 8 writes today" in first["not_reached"]["reason"]
        assert [each["count"] for each in first["refused"]] == [2]
        await sync_to_async(change_policy)(alpha.admin, max_writes=None)
        rest = await agent("crm_update", **change, confirm=True)
        assert (rest["count"], rest["done_before"]) == (18, 8)
        assert len(rest["way_back"]["not_covered"]["ids"]) == 8

    live(alpha.user, steps, era=era)
    with org_context(alpha.org):
        assert Task.objects.filter(pk__in=ids, status="Completed").count() == 18
