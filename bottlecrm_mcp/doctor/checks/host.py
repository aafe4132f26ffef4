"""Host checks in their order. Each looks at one part and says in one sentence what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from bottlecrm_mcp import asgi
from bottlecrm_mcp.doctor.checks import database, discovery, middleware, routes, sessions
from bottlecrm_mcp.doctor.findings import Finding, failure, ok, warning
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.doctor.rollback import never_committed
from bottlecrm_mcp.hosted.authentication import token_resolvers

OUR_CHECKS = ("bottlecrm_mcp.", "pat_tokens.")
LOOK = (
    "look with `curl -i https://<host>/mcp`: 405 is the MCP server, 404 is not. In the project's "
    "asgi.py: application = with_mcp(application), from bottlecrm_mcp.asgi"
)


def check_settings() -> Iterator[Finding]:
    part = "settings"
    ours = (each for each in run_checks() if str(each.id).startswith(OUR_CHECKS))
    messages = [each for each in ours if not each.is_silenced()]
    for message in messages:
        report = failure if message.level >= ERROR else warning
        yield report(part, " ".join(filter(None, (message.msg, message.hint))))
    if not messages:
        yield ok(part, "They are valid.")


def check_token_source() -> Iterator[Finding]:
    part = "token source"
    try:
        found = token_resolvers()
    except (ImproperlyConfigured, ImportError) as problem:
        yield failure(part, str(problem))
        return
    yield ok(part, ", ".join(f"{each.__module__}.{each.__name__}" for each in found))


def check_asgi() -> Iterator[Finding]:
    part = "ASGI"
    path = asgi_path()
    try:
        application: Any = import_string(path)
    except ImportError as problem:
        yield warning(part, f"{path or 'The ASGI application'} can't be read ({problem}); {LOOK}.")
        return
    if hasattr(application, asgi.MARK):
        yield ok(part, f"{path} serves /mcp.")
    else:
        yield warning(part, f"{path} does not serve /mcp; {LOOK}.")


def asgi_path() -> str:
    """Django's own setting, or the usual neighbour of wsgi.py."""
    named = getattr(settings, "ASGI_APPLICATION", None)
    return named or (settings.WSGI_APPLICATION or "").replace(".wsgi.", ".asgi.")


Check = Callable[[], Iterator[Finding]]
PersonalCheck = Callable[[Person], Iterator[Finding]]

SETTINGS_CHECKS: tuple[Check, ...] = (
    check_settings,
    check_token_source,
    routes.check_paths,
    routes.check_models,
    routes.check_serializers,
    routes.check_coverage,
    check_asgi,
    discovery.check_discovery,
)
DATABASE_CHECKS: tuple[Check, ...] = (
    database.check_migrations,
    database.check_role,
    database.check_row_security,
    database.check_no_rows_without_organisation,
    sessions.check_sessions,
    sessions.check_pool,
    database.check_repeated_calls,
    database.check_tuning,
    database.check_trigrams,
)
REQUEST_CHECKS: tuple[PersonalCheck, ...] = (
    middleware.check_middleware,
    routes.check_live_fields,
    routes.check_fast_path,
)


def settings_findings() -> list[Finding]:
    return [finding for check in SETTINGS_CHECKS for finding in _guarded(check)]


def database_findings() -> list[Finding]:
    return [finding for check in DATABASE_CHECKS for finding in _rolled_back(check)]


def request_findings(person: Person) -> list[Finding]:
    """As this person."""
    return [finding for check in REQUEST_CHECKS for finding in _rolled_back(check, person)]


def _rolled_back(check: Callable[..., Iterator[Finding]], *person: Person) -> list[Finding]:
    with never_committed(*person):
        return _guarded(check, *person)


def _guarded(check: Callable[..., Iterator[Finding]], *person: Person) -> list[Finding]:
    try:
        return list(check(*person))
    except Exception as fault:
        return [_broken(check, fault)]


def _broken(check: Callable[..., Iterator[Finding]], fault: Exception) -> Finding:
    part = check.__name__.removeprefix("check_").replace("_", " ")
    return failure(part, f"It could not be checked: {type(fault).__name__}: {fault}")
