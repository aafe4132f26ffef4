"""BottleCRM's contract, with the models and serializers that stand for BottleCRM's here."""

from collections.abc import Iterable
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
    "time_entries": "TimeEntry",
}


def stand_in(entity: Entity, app: str, model: str, module: str) -> Entity:
    """The entity with a model of this app, and with the write serializer of one of its modules."""
    stands = replace(entity, model=f"{app.rpartition('.')[2]}.{model}")
    if not entity.write_serializers:
        return stands
    serializer = f"{app}.entities.{module}.{model}WriteSerializer"
    return replace(stands, write_serializers=(serializer, serializer))


def _stand_ins(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    known = (each for each in entities if each.name in NAMES)
    return tuple(stand_in(each, "demo_crm", NAMES[each.name], each.name) for each in known)


CATALOGUE = replace(
    bottlecrm.CATALOGUE,
    entities=_stand_ins(bottlecrm.CATALOGUE.entities),
    # Of what BottleCRM serves on request, the demo has the time entries of its cases.
    optional=_stand_ins(bottlecrm.CATALOGUE.optional),
)
