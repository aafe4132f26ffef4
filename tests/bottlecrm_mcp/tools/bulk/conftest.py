from collections.abc import Callable
from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import Task

Tasks = Callable[..., list[Task]]


@pytest.fixture
def tasks_of(alpha: Any) -> Tasks:
    """New tasks of the organisation, which its USER sees if they are assigned to that person."""

    def make(count: int, **values: Any) -> list[Task]:
        given = {"status": "New", "priority": "Low", "created_by": alpha.admin.user, **values}
        people = given.pop("assigned_to", [alpha.user])
        with org_context(alpha.org):
            made = Task.objects.bulk_create(
                Task(org=alpha.org, title=f"Task {number:03}", **given) for number in range(count)
            )
            links = Task.assigned_to.through
            links._default_manager.bulk_create(
                links(task_id=task.pk, profile_id=person.pk) for task in made for person in people
            )
        return made

    return make


@pytest.fixture
def confirmed() -> Callable[..., Any]:
    """What a call answers once the person has agreed to its preview, and the preview."""

    def run(call: Any, tool: str, **arguments: Any) -> tuple[Any, Any]:
        shown = call(tool, **arguments)
        assert shown.get("confirmation_required"), shown
        seal = {"confirm": True, "confirmation": shown["confirmation"]}
        return shown["preview"], call(tool, **arguments, **seal)

    return run
