"""Presets of access, as people choose it, and the scopes they stand for."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pat_tokens.conf import token_settings
from pat_tokens.scopes import ANY_RESOURCE, api_resources

Access = Literal["read_only", "read_write", "entities"]
ACCESS: dict[Access, str] = {
    "read_only": "Read only",
    "read_write": "Read and write",
    "entities": "Chosen records only",
}
EXPLAINED: dict[str, str] = {
    "read_only": "Looks up and sums up what you may see. It can change nothing.",
    "read_write": "Also adds, changes and deletes what you may. Good for an assistant that works "
    "for you.",
    "entities": "Only the kinds of records that you choose, each to read or to change as well.",
}
ENTITY_ACCESS = {"none": "No access", "read": "Read", "write": "Read and write"}
# Without these an agent sees ids where people see names.
NAMES = ("users", "teams", "tags", "custom-fields", "profile", "org")


def entities() -> dict[str, str]:
    """The records of this host that a token can be confined to: API root and name."""
    live = api_resources()
    return {name: label for name, label in token_settings.entities.items() if name in live}


def scopes_for(access: Access, chosen: Mapping[str, str]) -> list[str]:
    """The scopes of a preset; `chosen` says `read` or `write` for each entity. ValueError."""
    if access == "read_only":
        return ["*:read"]
    if access == "read_write":
        return ["*:read", "*:write"]
    return _scopes_of(chosen)


def _scopes_of(chosen: Mapping[str, str]) -> list[str]:
    known = entities()
    for name, action in chosen.items():
        if name not in known:
            raise ValueError(f'"{name}" is not one of {", ".join(known)}.')
        if action not in ENTITY_ACCESS:
            raise ValueError(f'{name}: "{action}" is not one of {", ".join(ENTITY_ACCESS)}.')
    wanted = {name: action for name, action in chosen.items() if action != "none"}
    if not wanted:
        raise ValueError("Choose at least one kind of record.")
    live = api_resources()
    names = [f"{resource}:read" for resource in NAMES if resource in live]
    reading = [f"{name}:read" for name in wanted]
    writing = [f"{name}:write" for name, action in wanted.items() if action == "write"]
    return [*reading, *writing, *names]


def preset_of(scopes: Iterable[str]) -> tuple[Access, dict[str, str]]:
    """The preset that stands for these scopes, and what it says of each entity."""
    granted = set(scopes)
    if f"{ANY_RESOURCE}:read" in granted:
        return ("read_write" if f"{ANY_RESOURCE}:write" in granted else "read_only"), {}
    held = {name: _held(name, granted) for name in entities()}
    return "entities", {name: action for name, action in held.items() if action != "none"}


def _held(name: str, granted: set[str]) -> str:
    if f"{name}:write" in granted:
        return "write"
    return "read" if f"{name}:read" in granted else "none"


def summary(scopes: list[str]) -> str:
    """One line for people."""
    granted = set(scopes)
    if not granted:
        return "Everything its owner may do"
    if {"*:read", "*:write"} <= granted:
        return ACCESS["read_write"]
    if "*:read" in granted and all(scope.endswith(":read") for scope in granted):
        return ACCESS["read_only"]
    shown = [scope for scope in scopes if scope.partition(":")[0] not in NAMES]
    actions: dict[str, list[str]] = {}
    for resource, _, action in (scope.partition(":") for scope in shown or scopes):
        actions.setdefault(resource, []).append(action)
    return "; ".join(
        f"{label_of(resource)}: {' and '.join(done)}" for resource, done in actions.items()
    )


def label_of(resource: str) -> str:
    """What people call the resource of a scope."""
    labels = {ANY_RESOURCE: "Everything", **token_settings.entities}
    return labels.get(resource) or resource.replace("-", " ").capitalize()
