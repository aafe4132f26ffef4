"""Catalogue: BottleCRM's contract, with the models and serializers that stand for its own here."""

from dataclasses import replace

from bottlecrm_mcp.catalogue import bottlecrm
from bottlecrm_mcp.catalogue.model import Entity

NAMES = {
    "leads": "Lead",
    "contacts": "Contact",
    "accounts": "Account",
    "opportunities": "Opportunity",
    "tasks": "Task",
    "cases": "Case",
    "invoices": "Invoice",
    "solutions": "Solution",
    "tags": "Tag",
    "teams": "Team",
    "people": "Profile",
    "custom_fields": "CustomFieldDefinition",
}


def stand_in(entity: Entity, app: str, model: str, module: str) -> Entity:
    """The entity with a model of this app, and with the write serializer of one of its modules."""
    stands = replace(entity, model=f"{app.rpartition('.')[2]}.{model}")
    if not entity.write_serializers:
        return stands
    serializer = f"{app}.entities.{module}.{model}WriteSerializer"
    return replace(stands, write_serializers=(serializer, serializer))


CATALOGUE = replace(
    bottlecrm.CATALOGUE,
    entities=tuple(
        stand_in(each, "demo_crm", NAMES[each.name], each.name)
        for each in bottlecrm.CATALOGUE.entities
    ),
    # The demo has nothing of what BottleCRM serves on request.
    optional=(),
)
