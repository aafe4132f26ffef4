"""System checks: what would make the server wrong, found at start-up."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from bottlecrm_mcp.conf import mcp_settings


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    try:
        mcp_settings().catalogue  # noqa: B018 (reading it is the check)
    except (ImproperlyConfigured, ImportError) as problem:
        return [Error(str(problem), id="bottlecrm_mcp.E001")]
    return []
