"""Resources: who the caller is, what an entity looks like, one record."""

from __future__ import annotations

from typing import Any

import mcp_types as types

from bottlecrm_mcp.catalogue.model import Catalogue
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.one_line import one_line
from bottlecrm_mcp.tools.arguments.dates import Clock
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.describe import crm_describe
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.get import crm_get

SCHEME = "crm://"
ME = "crm://me"
JSON = "application/json"
TEMPLATES = [
    types.ResourceTemplate(
        name="entity",
        title="An entity's fields",
        uri_template="crm://{entity}",
        description="Fields, filters and actions of an entity, as crm_describe gives them.",
        mime_type=JSON,
    ),
    types.ResourceTemplate(
        name="record",
        title="One record",
        uri_template="crm://{entity}/{id}",
        description="One record, as crm_get gives it.",
        mime_type=JSON,
    ),
]


def listed(catalogue: Catalogue, caller: Caller) -> list[types.Resource]:
    known = filter(None, (caller.name, caller.org_name))
    me = types.Resource(
        name="me",
        # A person who is connected twice sees which of the two this is.
        title=one_line(": ".join(("Me", ", ".join(known))).rstrip(": ")),
        uri=ME,
        description="The person, organisation, role and access that this connection has.",
        mime_type=JSON,
    )
    entities = [
        types.Resource(
            name=entity.name,
            title=entity.name.replace("_", " ").capitalize(),
            uri=SCHEME + entity.name,
            description=f"Fields, filters and actions of {entity.name}.",
            mime_type=JSON,
        )
        for entity in catalogue.entities
    ]
    return [me, *entities]


def read(crm: Crm, uri: str) -> dict[str, Any]:
    """The resource's value. Raises `ToolError`."""
    if uri.rstrip("/") == ME:
        return me(crm.caller)
    if not uri.startswith(SCHEME):
        raise ToolError("not_found", f"There is no resource {uri[:200]!r}.")
    entity, record_id = entity_and_record(uri)
    if record_id:
        return crm_get(crm, entity=entity, id=record_id)
    return crm_describe(crm, entity=entity)


def entity_and_record(uri: str) -> tuple[str, str]:
    """What the URI names; the record is empty where it is of an entity."""
    entity, _, record_id = uri.removeprefix(SCHEME).rstrip("/").partition("/")
    return entity, record_id


def me(caller: Caller) -> dict[str, Any]:
    clock = Clock(caller.timezone)
    return {
        "id": caller.profile_id,
        "name": caller.name,
        "email": caller.email,
        "role": caller.role,
        "organisation": {"id": caller.org_id, "name": caller.org_name},
        "timezone": clock.zone.key,
        "today": clock.today.isoformat(),
        "access": caller.access,
        "scopes": list(caller.scopes) or ["*:read", "*:write"],
        **({"little_left": list(caller.little_left)} if caller.little_left else {}),
    }
