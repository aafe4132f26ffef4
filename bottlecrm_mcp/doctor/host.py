"""Is the host right? Each check looks at one part and says in one sentence what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from bottlecrm_mcp import asgi
from bottlecrm_mcp.auth import token_resolvers
from bottlecrm_mcp.doctor import database, middleware, routes
from bottlecrm_mcp.doctor.findings import Finding, failure, ok, warning
from bottlecrm_mcp.doctor.person import NoPerson, Person

OUR_CHECKS = ("bottlecrm_mcp.", "pat_tokens.")
LOOK = (
    "look with `curl -i https://<host>/mcp`: 405 is the MCP server, 404 is not. In the project's "
    "asgi.py: application = with_mcp(application), from bottlecrm_mcp.asgi"
)


def check_settings() -> Iterator[Finding]:
    part = "settings"
    messages = [each for each in run_checks() if str(each.id).startswith(OUR_CHECKS)]
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

CHECKS: tuple[Check, ...] = (
    check_settings,
    check_token_source,
    routes.check_paths,
    routes.check_models,
    routes.check_serializers,
    check_asgi,
    database.check_role,
    database.check_row_security,
    database.check_no_rows_without_organisation,
    database.check_pool,
)
PERSONAL_CHECKS: tuple[PersonalCheck, ...] = (
    middleware.check_middleware,
    routes.check_live_fields,
    routes.check_fast_path,
)


def examine(find_person: Callable[[], Person]) -> list[Finding]:
    """All findings. `find_person` gives the person to send requests as."""
    findings = [finding for check in CHECKS for finding in _guarded(check)]
    try:
        person = find_person()
    except NoPerson as nobody:
        return [*findings, warning("requests", f"None could be tried. {nobody}")]
    except Exception as fault:
        return [*findings, failure("requests", _broken("making a token", fault))]
    for check in PERSONAL_CHECKS:
        findings += _guarded(check, person)
    return findings


def _guarded(check: Callable[..., Iterator[Finding]], *arguments: Person) -> list[Finding]:
    part = check.__name__.removeprefix("check_").replace("_", " ")
    try:
        return list(database.undone(check, *arguments))
    except Exception as fault:
        return [failure(part, _broken("this check", fault))]


def _broken(what: str, fault: Exception) -> str:
    return f"{what[0].upper()}{what[1:]} failed: {type(fault).__name__}: {fault}"
