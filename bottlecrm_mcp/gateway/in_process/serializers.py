"""Serializer fields: what a CRM's own write serializer says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework import serializers

from bottlecrm_mcp.gateway.base import LiveField

MOST_CHOICES = 60


def live_fields(
    serializer_class: type[serializers.Serializer[Any]], request: HttpRequest, *, update: bool
) -> Mapping[str, LiveField]:
    """The serializer's fields as a write of this request would find them, by name."""
    serializer = _instantiate(serializer_class, request, update=update)
    return {name: _live_field(name, field) for name, field in serializer.fields.items()}


def _instantiate(
    serializer_class: Any, request: HttpRequest, *, update: bool
) -> serializers.Serializer[Any]:
    # With an instance a serializer may make fields read-only (a case's account).
    model = getattr(getattr(serializer_class, "Meta", None), "model", None)
    instance = model() if update and model else None
    given = {"data": {}, "partial": update, "context": {"request": request}}
    try:
        # BottleCRM's serializers take the request under this name, and some require it.
        made: serializers.Serializer[Any] = serializer_class(instance, request_obj=request, **given)
    except TypeError:
        made = serializer_class(instance, **given)
    return made


def _live_field(name: str, field: serializers.Field[Any, Any, Any, Any]) -> LiveField:
    choices: tuple[tuple[Any, str], ...] = ()
    # Not for relations: their `choices` would read a whole table.
    if isinstance(field, serializers.ChoiceField) and len(field.choices) <= MOST_CHOICES:
        choices = tuple((value, str(label)) for value, label in field.choices.items())
    return LiveField(
        name=name,
        kind=type(field).__name__,
        required=field.required,
        read_only=field.read_only,
        choices=choices,
        max_length=getattr(field, "max_length", None),
        minimum=getattr(field, "min_value", None),
        maximum=getattr(field, "max_value", None),
        help_text=str(field.help_text or ""),
    )
