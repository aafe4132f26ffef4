"""System checks: what would make the server wrong, found at start-up."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.urls import Resolver404, resolve
from rest_framework.pagination import LimitOffsetPagination

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process import idempotency
from bottlecrm_mcp.hosted import open_forms, rate_limits


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    try:
        mcp_settings().catalogue  # noqa: B018 (reading it is the check)
    except (ImproperlyConfigured, ImportError) as problem:
        return [Error(str(problem), id="bottlecrm_mcp.E001")]
    return []


@register()
def check_lists(**kwargs: Any) -> list[CheckMessage]:
    """Whether each list paginates by the class that hands its rows over."""
    try:
        entities = mcp_settings().catalogue.entities
    except (ImproperlyConfigured, ImportError):
        return []
    return [
        Warning(
            f"The list of {entity.name} at {entity.path} does not paginate by DRF's "
            "LimitOffsetPagination, so searches go through its ordinary answer: slower, and "
            "without sort and most filters.",
            hint="`manage.py mcp_doctor` says more.",
            id="bottlecrm_mcp.W001",
        )
        for entity in entities
        if entity.paged and not _hands_over(entity.path)
    ]


@register()
def check_cache(**kwargs: Any) -> list[CheckMessage]:
    if not rate_limits.is_per_process():
        return []
    return [
        Warning(
            "Django's default cache belongs to one process, so with several of them a token may "
            "make that many times the calls, and what was confirmed once may be done twice.",
            hint="Set CACHES['default'] to a backend that all processes share, such as Redis. "
            "Silence this where one process serves /mcp.",
            id="bottlecrm_mcp.W002",
        )
    ]


@register(deploy=True)
def check_keyed_writes(**kwargs: Any) -> list[CheckMessage]:
    with suppress(DatabaseError):
        if not idempotency.is_migrated():
            return [
                Warning(
                    "Repeated calls can't be recognised: idempotency_key is refused.",
                    hint=f"Run `{idempotency.MIGRATE}`.",
                    id="bottlecrm_mcp.W003",
                )
            ]
    return []


@register(deploy=True)
def check_forms(**kwargs: Any) -> list[CheckMessage]:
    with suppress(DatabaseError):
        if not open_forms.is_migrated():
            return [
                Warning(
                    "Clients with forms on the older revisions of MCP can't confirm anything.",
                    hint=f"Run `{idempotency.MIGRATE}`.",
                    id="bottlecrm_mcp.W004",
                )
            ]
    return []


def _hands_over(path: str) -> bool:
    try:
        view = getattr(resolve(path).func, "view_class", None) or getattr(
            resolve(path).func, "cls", None
        )
    except Resolver404:
        # A route that is not there is for the doctor to tell.
        return True
    classes = (view, getattr(view, "pagination_class", None))
    return any(
        isinstance(each, type)
        and issubclass(each, LimitOffsetPagination)
        and each.paginate_queryset is LimitOffsetPagination.paginate_queryset
        for each in classes
    )
