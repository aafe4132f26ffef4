"""Scopes as clients ask for them, and the scopes of tokens that they stand for.

On the wire they are few and coarse, `crm:read` and `crm:write`; a token's own
`<resource>:<read|write>` are understood too. The person who agrees narrows them.
"""

from collections.abc import Iterable, Sequence

from pat_tokens.scopes import ANY_RESOURCE, SCOPE, api_resources

READ, WRITE = "crm:read", "crm:write"
SUPPORTED = (READ, WRITE)
_OWN = {READ: f"{ANY_RESOURCE}:read", WRITE: f"{ANY_RESOURCE}:write"}
_WIRE = {own: wire for wire, own in _OWN.items()}


def requested(scope: str | None) -> list[str]:
    """The token scopes that a client asks for; unknown ones don't count, and none means all."""
    known = api_resources()
    wanted = [_OWN.get(each) or _resource_scope(each, known) for each in (scope or "").split()]
    return list(dict.fromkeys(filter(None, wanted))) or list(_OWN.values())


def _resource_scope(scope: str, known: set[str]) -> str | None:
    match = SCOPE.fullmatch(scope)
    return scope if match and match["resource"] in known else None


def on_wire(scopes: Iterable[str]) -> list[str]:
    """Token scopes as clients know them; `<resource>:<action>` stays as it is."""
    return [_WIRE.get(each, each) for each in scopes]


def narrowed(chosen: Sequence[str], asked: Sequence[str]) -> list[str]:
    """What a person chose and the client asked for; both may name `*` or single resources."""
    both = [each for each in chosen if _covers(asked, each)]
    both += [each for each in asked if _covers(chosen, each)]
    return list(dict.fromkeys(both))


def _covers(granted: Sequence[str], scope: str) -> bool:
    action = scope.rpartition(":")[2]
    return scope in granted or f"{ANY_RESOURCE}:{action}" in granted
