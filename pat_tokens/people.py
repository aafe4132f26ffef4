"""What the host's people and organisations are called."""

from typing import Any

from django.apps import apps
from django.db.models import Model

from pat_tokens.conf import token_settings


def name_of(owner: Any) -> str:
    user = owner.user
    return str(getattr(user, "name", "") or user.get_username())


def email_of(owner: Any) -> str:
    return str(getattr(owner.user, "email", "") or owner.user.get_username())


def owner_model() -> type[Model]:
    return apps.get_model(token_settings.owner_model)


def organisations() -> list[Any]:
    """All of them; what commands walk, setting the context of each."""
    model: Any = owner_model()._meta.get_field("org").related_model
    return list(model._base_manager.order_by("pk"))
