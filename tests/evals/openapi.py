"""Tools that a generic bridge makes of a host's OpenAPI schema: one for each operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
WRITES = ("post", "put", "patch")


def tools_of(schema: Json) -> list[Json]:
    """A tool for each operation, its parameters and its body in one input schema."""
    return list(_operations(schema))


def _operations(schema: Json) -> Iterator[Json]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "delete", *WRITES):
                continue
            given: Json = {
                each["name"]: _inlined(each.get("schema", {}), schema)
                for each in operation.get("parameters", ())
            }
            if body := _body(operation):
                given["body"] = _inlined(body, schema)
            yield {
                "name": operation["operationId"],
                "description": operation.get("description") or f"{method.upper()} {path}",
                "inputSchema": {"type": "object", "properties": given},
            }


def _body(operation: Json) -> Json:
    content = operation.get("requestBody", {}).get("content", {})
    found: Json = content.get("application/json", {}).get("schema", {})
    return found


def _inlined(part: Any, schema: Json, within: tuple[str, ...] = ()) -> Any:
    """References resolved, since a tool's schema stands alone."""
    if isinstance(part, list):
        return [_inlined(each, schema, within) for each in part]
    if not isinstance(part, dict):
        return part
    reference = part.get("$ref")
    if reference in within:
        return {"type": "object"}
    if reference:
        name = reference.rsplit("/", 1)[-1]
        target = schema["components"]["schemas"].get(name, {})
        return _inlined(target, schema, (*within, reference))
    return {key: _inlined(value, schema, within) for key, value in part.items()}


_listed: dict[str, list[Json]] = {}


def listed(origin: str, get: Callable[[str], Json | None]) -> list[Json]:
    """The tools of a host that publishes its schema, asked for once; none where it does not."""
    if origin not in _listed:
        schema = get("/schema/?format=json")
        _listed[origin] = tools_of(schema) if schema else []
    return _listed[origin]
