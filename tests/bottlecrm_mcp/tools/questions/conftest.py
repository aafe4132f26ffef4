from collections.abc import Callable
from typing import Any

import pytest

from demo_crm.access.row_security import org_context
from demo_crm.models import CustomFieldDefinition, Lead

Make = Callable[..., Any]


def named(value: Any) -> str:
    """The id of a parameter, the same in every process: a set has no order of its own."""
    return str(sorted(value) if isinstance(value, set) else value)


@pytest.fixture
def make(alpha_admin: Any) -> Make:
    """Makes records of the first organisation, by its administrator unless said otherwise."""

    def create(model: Any, **values: Any) -> Any:
        links = {name: values.pop(name) for name in ("assigned_to", "contacts") if name in values}
        with org_context(alpha_admin.org):
            given = {"org": alpha_admin.org, "created_by": alpha_admin.user, **values}
            record = model.objects.create(**given)
            for name, others in links.items():
                getattr(record, name).add(*others)
        return record

    return create


@pytest.fixture
def custom(make: Make) -> list[Any]:
    """Leads with a custom field of each type, by rising number."""
    types = {
        "score": "number",
        "plan": "dropdown",
        "renewal": "date",
        "vip": "checkbox",
        "nick": "text",
    }
    for key, kind in types.items():
        options = [{"value": "gold", "label": "Gold plan"}, {"value": "free", "label": "Free"}]
        make(
            CustomFieldDefinition,
            target_model="Lead",
            key=key,
            label=key.title(),
            field_type=kind,
            options=options if kind == "dropdown" else [],
        )
    stored: tuple[dict[str, Any], ...] = (
        {"score": 5.0, "plan": "free", "renewal": "2026-11-30", "vip": False, "nick": "Ada"},
        {"score": 40.0, "plan": "gold", "renewal": "2026-12-31", "vip": True, "nick": "José"},
        {"score": 300.5, "plan": "gold", "renewal": "2027-01-31", "vip": True},
        # What an earlier type of the field left.
        {"score": "many", "renewal": "2026-02-31", "vip": "perhaps"},
        {},
    )
    return [
        make(Lead, first_name=f"N{number}", status="assigned", custom_fields=values)
        for number, values in enumerate(stored)
    ]


def found(answer: dict[str, Any], name: str = "first_name") -> set[str]:
    assert "error" not in answer, answer
    return {each.get(name, "") for each in answer["records"]}
