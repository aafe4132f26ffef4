"""Route checks: whether paths, models, serializers and lists are what the catalogue says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.urls import Resolver404, URLResolver, get_resolver, resolve
from django.utils.module_loading import import_string

from bottlecrm_mcp.catalogue.coverage import bare, coverage, used_routes
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.findings import Finding, failure, ok, warning
from bottlecrm_mcp.doctor.person import Person

SOME_ID = str(UUID(int=1))
API = "/api/"
# A part of a path that a request fills in, in either of Django's spellings.
PART = re.compile(r"<[^>]+>|\(\?P<[^)]+\)")

Route = tuple[str, str]


def check_paths() -> Iterator[Finding]:
    part = "paths"
    routes = list(dict.fromkeys(used_routes(mcp_settings().catalogue)))
    wrong = list(filter(None, (_objection(*_filled(route)) for route in routes)))
    for objection in wrong:
        yield failure(part, f"{objection}: the catalogue is made for another version of the CRM.")
    if not wrong:
        yield ok(part, f"All {len(routes)} routes of the catalogue lead to a view.")


def check_coverage() -> Iterator[Finding]:
    """What else the CRM offers; nothing of it is wrong."""
    part = "coverage"
    found = coverage(mcp_settings().catalogue, host_routes())
    yield ok(
        part,
        f"Of the CRM's routes under {API} the tools use {len(found.used)}; {len(found.excluded)} "
        f"are left out for a reason, and {len(found.uncovered)} are not covered.",
    )
    for route in found.uncovered:
        yield ok(part, f"not covered: {route}")


def host_routes() -> set[str]:
    """Every route of the host's API, as "METHOD path" with `{}` for what a path holds."""
    return {
        f"{method} {path}"
        for path, function in _views(get_resolver().url_patterns, "/")
        if path.startswith(API)
        for method in _methods(function) - {"HEAD", "OPTIONS"}
    }


def _views(patterns: Iterable[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for each in patterns:
        path = prefix + PART.sub("{}", str(each.pattern)).removeprefix("^").removesuffix("$")
        if isinstance(each, URLResolver):
            yield from _views(each.url_patterns, path)
        else:
            yield path, each.callback


def _filled(route: str) -> Route:
    method, path = route.split()
    return method, path.replace("{}", SOME_ID)


def _objection(method: str, path: str) -> str:
    try:
        function = resolve(path).func
    except Resolver404:
        return f"{path} does not exist"
    methods = _methods(function)
    return f"{path} does not take {method}" if methods and method not in methods else ""


def _methods(function: Any) -> set[str]:
    """The methods of a view; empty if they can't be told."""
    view = _view_class(function)
    actions: dict[str, str] = getattr(function, "actions", None) or {}
    if actions or view is None:
        return {name.upper() for name in actions}
    return {name.upper() for name in view.http_method_names if hasattr(view, name)}


def _view_class(function: Any) -> Any:
    return getattr(function, "cls", None) or getattr(function, "view_class", None)


def check_models() -> Iterator[Finding]:
    part = "models"
    missing = []
    for entity in mcp_settings().catalogue.entities:
        for model in filter(None, (entity.model, *(each.model for each in entity.includes))):
            try:
                apps.get_model(model)
            except (LookupError, ValueError):
                missing.append(model)
                yield failure(part, f"{entity.name}: there is no model {model}.")
    if not missing:
        yield ok(part, "Every entity has its model.")


def check_serializers() -> Iterator[Finding]:
    part = "write serializers"
    wrong = []
    for entity in mcp_settings().catalogue.entities:
        paths = (bare(entity.path_of_create).replace("{}", SOME_ID), entity.written_at(SOME_ID))
        for name, path in zip(entity.write_serializers, paths, strict=False):
            if objection := _serializer_objection(name, path):
                wrong.append(objection)
                yield failure(part, f"{entity.name}: {objection}.")
    if not wrong:
        yield ok(part, "Every entity's view uses the serializer that crm_describe reads.")


def _serializer_objection(name: str, path: str) -> str:
    try:
        serializer = import_string(name)
    except ImportError:
        return f"{name} can't be imported"
    try:
        view = _view_class(resolve(path).func)
    except Resolver404:
        return f"{path} does not exist"
    module = sys.modules[view.__module__]
    used = any(each is serializer for each in (*vars(module).values(), *vars(view).values()))
    return "" if used else f"{module.__name__}, which serves {path}, does not use {name}"


def check_live_fields(person: Person) -> Iterator[Finding]:
    part = "live fields"
    gateway = person.gateway()
    silent = []
    for entity in mcp_settings().catalogue.entities:
        for update in (False, True) if entity.write_serializers else ():
            if not gateway.live_fields(entity, update=update):
                silent.append(entity)
                kind = "update" if update else "create"
                yield failure(part, f"{entity.name}: the fields of a {kind} can't be read.")
    if not silent:
        yield ok(part, "The fields of every entity can be read from its serializer.")


def check_fast_path(person: Person) -> Iterator[Finding]:
    part = "fast path"
    gateway = person.gateway()
    slow = []
    for entity in mcp_settings().catalogue.entities:
        if not entity.paged:
            continue
        capture = gateway.capture(entity, lambda records: None)
        if not capture.taken:
            slow.append(entity)
            yield warning(
                part,
                f"{entity.name} are read over the REST list, which is slow: {capture.refusal}.",
            )
    if not slow:
        yield ok(part, "Every list is read as one restricted query.")
