"""Whether the host is what the catalogue says: paths, models, serializers, lists."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from string import Formatter
from typing import Any
from uuid import UUID

from django.urls import Resolver404, resolve
from django.utils.module_loading import import_string

from bottlecrm_mcp.catalogue.model import Catalogue, Entity
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.doctor.findings import Finding, failure, ok, warning
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.gateway.in_process import model_of

SOME_ID = str(UUID(int=1))

Route = tuple[str, str]


def check_paths() -> Iterator[Finding]:
    part = "paths"
    every = dict.fromkeys(_routes(mcp_settings().catalogue))
    routes = [(method, path) for method, path in every if path]
    wrong = list(filter(None, (_objection(method, path) for method, path in routes)))
    for objection in wrong:
        yield failure(part, f"{objection}: the catalogue is made for another version of the CRM.")
    if not wrong:
        yield ok(part, f"All {len(routes)} routes of the catalogue lead to a view.")


def _routes(catalogue: Catalogue) -> Iterator[Route]:
    for entity in catalogue.entities:
        yield from _entity_routes(entity)
    for lookup in catalogue.lookups:
        yield "GET", lookup.path
    for path in (catalogue.profile_path, catalogue.organisation_path, catalogue.custom_fields_path):
        yield "GET", path


def _entity_routes(entity: Entity) -> Iterator[Route]:
    yield "GET", entity.path
    if entity.has_detail:
        yield "GET", entity.record_path(SOME_ID)
    if not entity.no_create:
        yield "POST", entity.written_at()
    if not entity.no_update:
        yield entity.update_method, entity.written_at(SOME_ID)
    if not entity.no_delete:
        yield "DELETE", entity.written_at(SOME_ID)
    for action in entity.actions:
        yield action.method, _filled(action.path)
    for included in entity.includes:
        yield "GET", _filled(included.path)


def _filled(path: str) -> str:
    names = (name for _, name, _, _ in Formatter().parse(path) if name)
    return path.format(**dict.fromkeys(names, SOME_ID))


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
        try:
            model_of(entity)
        except (LookupError, ValueError):
            missing.append(entity)
            yield failure(part, f"{entity.name}: there is no model {entity.model}.")
    if not missing:
        yield ok(part, "Every entity has its model.")


def check_serializers() -> Iterator[Finding]:
    part = "write serializers"
    wrong = []
    for entity in mcp_settings().catalogue.entities:
        paths = (entity.written_at(), entity.written_at(SOME_ID))
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


def _is_paged(entity: Entity) -> bool:
    return entity.paged


def check_fast_path(person: Person) -> Iterator[Finding]:
    part = "fast path"
    gateway = person.gateway()
    slow = []
    for entity in filter(_is_paged, mcp_settings().catalogue.entities):
        capture = gateway.capture(entity, lambda records: None)
        if not capture.taken:
            slow.append(entity)
            yield warning(
                part,
                f"{entity.name} are read over the REST list, which is slow: {capture.refusal}.",
            )
    if not slow:
        yield ok(part, "Every list is read as one restricted query.")
