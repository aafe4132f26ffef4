"""Settings of this app: `BOTTLECRM_MCP` in Django's settings, with defaults, checked once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from bottlecrm_mcp.catalogue.model import Catalogue, UnknownEntities

NAME = "BOTTLECRM_MCP"
POSITIVE = (
    "THREADS",
    "MAX_BODY_BYTES",
    "BODY_SECONDS",
    "CALL_SECONDS",
    "MAX_DEPTH",
    "MAX_VALUES",
    "MAX_ANSWER_BYTES",
    "MAX_FILE_BYTES",
)


@dataclass(frozen=True)
class McpSettings:
    """Every setting and its default.

    `CATALOGUE` is a dotted path to the CRM's contract. `ENTITIES` names those of its optional
    entities that are served, too. `TOKEN_RESOLVERS` are dotted paths of
    functions from a token's secret to the token, asked in turn; left empty, those of the installed
    apps (`pat_tokens`, BottleCRM's own). `CONFIRMATION` is `explicit` (confirm=true is enough)
    or `sealed` (the confirmation string of the preview must come with it). `THREADS` bounds the
    tool calls that run at once in one process, and thereby the database connections.
    `WEB_ADDRESS` is where people open the CRM in a browser; left empty, the host's `FRONTEND_URL`.
    `RESEARCH_CLIENTS` are the hosts of the connected clients that are offered OpenAI's tools
    `search`, `fetch` and `profile`; `*` offers them to every client.
    `MAX_BODY_BYTES` bounds a request to /mcp, `BODY_SECONDS` how long its body may take to arrive.
    `CALLS_PER_MINUTE` bounds what one person may do by all of their tokens, `CONCURRENT_CALLS` what
    they may have running; 0 or None is no limit.
    `CALL_SECONDS` bounds how long a call may take from when its token was looked up, `MAX_DEPTH`
    and `MAX_VALUES` what its arguments may hold, `MAX_ANSWER_BYTES` its answer. `MAX_FILE_BYTES`
    bounds a file that is attached to a record.
    """

    CATALOGUE: str = "bottlecrm_mcp.catalogue.bottlecrm.CATALOGUE"
    ENTITIES: Sequence[str] = ()
    TOKEN_RESOLVERS: tuple[str, ...] = ()
    CONFIRMATION: str = "explicit"
    WEB_ADDRESS: str = ""
    RESEARCH_CLIENTS: Sequence[str] = ("chatgpt.com",)
    THREADS: int = 8
    MAX_BODY_BYTES: int = 1_000_000
    BODY_SECONDS: int = 10
    CALLS_PER_MINUTE: int | None = 120
    CONCURRENT_CALLS: int | None = 4
    CALL_SECONDS: int = 30
    MAX_DEPTH: int = 8
    MAX_VALUES: int = 2_000
    MAX_ANSWER_BYTES: int = 100_000
    MAX_FILE_BYTES: int = 10_000_000

    def __post_init__(self) -> None:
        if self.CONFIRMATION not in ("explicit", "sealed"):
            raise ImproperlyConfigured(
                f"{NAME}['CONFIRMATION'] must be 'explicit' or 'sealed', not {self.CONFIRMATION!r}."
            )
        for name in ("ENTITIES", "RESEARCH_CLIENTS"):
            if not isinstance(getattr(self, name), list | tuple):
                raise ImproperlyConfigured(f"{NAME}['{name}'] must be a list of names.")
        if self.WEB_ADDRESS and not is_web_address(self.WEB_ADDRESS):
            raise ImproperlyConfigured(
                f"{NAME}['WEB_ADDRESS'] must be an address such as 'https://app.example.com'."
            )
        for name in POSITIVE:
            if not _is_whole(getattr(self, name)) or getattr(self, name) < 1:
                raise ImproperlyConfigured(f"{NAME}['{name}'] must be a positive integer.")
        for name in ("CALLS_PER_MINUTE", "CONCURRENT_CALLS"):
            value = getattr(self, name)
            if value is not None and (not _is_whole(value) or value < 0):
                raise ImproperlyConfigured(
                    f"{NAME}['{name}'] must be a positive integer, or 0 or None for no limit."
                )

    @property
    def web_address(self) -> str:
        """Where the web application is, without a slash at the end; empty if that is not known."""
        address = self.WEB_ADDRESS or getattr(settings, "FRONTEND_URL", "") or ""
        return address.rstrip("/") if is_web_address(address) else ""

    @property
    def catalogue(self) -> Catalogue:
        catalogue = import_string(self.CATALOGUE)
        if not isinstance(catalogue, Catalogue):
            raise ImproperlyConfigured(f"{NAME}['CATALOGUE'] does not name a Catalogue.")
        return self._with_optional(catalogue)

    def _with_optional(self, catalogue: Catalogue) -> Catalogue:
        try:
            return catalogue.with_entities(self.ENTITIES)
        except UnknownEntities as unknown:
            raise ImproperlyConfigured(f"{NAME}['ENTITIES']: {unknown}.") from unknown


def is_web_address(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"https?://[^\s?#\"'<>]+", value))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@cache
def mcp_settings() -> McpSettings:
    """The settings as they are now. Raises `ImproperlyConfigured` for unknown names."""
    given: dict[str, Any] = getattr(settings, NAME, {})
    known = {each.name for each in fields(McpSettings)}
    if unknown := sorted(set(given) - known):
        raise ImproperlyConfigured(
            f"{NAME} has unknown settings: {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
        )
    return McpSettings(**given)


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == NAME:
        mcp_settings.cache_clear()
