"""Custom fields: their definitions, and the check of values given for them."""

from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from demo_crm.answers import invalid
from demo_crm.models import CustomFieldDefinition


def definitions(model_name: str) -> QuerySet[CustomFieldDefinition]:
    return CustomFieldDefinition.objects.filter(target_model=model_name, is_active=True).order_by(
        "display_order", "label"
    )


def records_without(definition: CustomFieldDefinition) -> int:
    model: Any = apps.get_model("demo_crm", definition.target_model)
    records: QuerySet[Any] = model.objects.filter(org=definition.org_id)
    return records.exclude(custom_fields__has_key=definition.key).count()


def cleaned(model_name: str, payload: Any, stored: dict[str, Any]) -> dict[str, Any]:
    """The stored values with those of the payload; keys that nobody defined are dropped."""
    values, errors = dict(stored), {}
    if isinstance(payload, list):
        raise invalid({"custom_fields": {"custom_fields": "These are given as an object."}})
    given = payload if isinstance(payload, dict) else {}
    for definition in definitions(model_name):
        value = given.get(definition.key, stored.get(definition.key))
        if problem := _problem(definition, value):
            errors[definition.key] = problem
        elif definition.key in given:
            values[definition.key] = value
    if errors:
        raise invalid({"custom_fields": errors})
    return values


def _problem(definition: CustomFieldDefinition, value: Any) -> str | None:
    if value in (None, ""):
        return "This field is required." if definition.is_required else None
    options = [option["value"] for option in definition.options]
    if definition.field_type == "dropdown" and value not in options:
        return f"'{value}' is not one of: {', '.join(options)}."
    if definition.field_type == "number" and not isinstance(value, int | float):
        return "A number is required."
    return None
