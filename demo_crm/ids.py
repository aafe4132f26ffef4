"""Ids of related records, as the API takes them in a body or in a query."""

import json
import uuid
from typing import Any

from rest_framework.exceptions import ValidationError


def one_id(value: Any, field: str) -> Any:
    try:
        uuid.UUID(str(value))
    except ValueError:
        raise ValidationError({field: [f"'{value}' is not a valid id."]}) from None
    return value


def id_list(value: Any, field: str) -> list[Any]:
    """A list of ids or of objects with an id, such a list as JSON text, or one bare id."""
    if isinstance(value, str) and value.strip().startswith("["):
        value = _parsed(value, field)
    elif isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        raise ValidationError({field: [f"{field} must be a list of ids."]})
    ids = [item.get("id") if isinstance(item, dict) else item for item in value]
    return [one_id(item, field) for item in ids if item not in (None, "")]


def _parsed(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ValidationError({field: [f"{field} must be a list of ids."]}) from None
