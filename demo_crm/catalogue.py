"""Catalogue: BottleCRM's contract, with the models and serializers that stand for its own here."""

from dataclasses import replace

from bottlecrm_mcp.catalogue import bottlecrm
from bottlecrm_mcp.catalogue.model import Entity

# The model of each, and the module of its views.
STAND_INS = {
    "leads": ("Lead", "sales.leads"),
    "contacts": ("Contact", "sales.contacts"),
    "accounts": ("Account", "sales.accounts"),
    "opportunities": ("Opportunity", "sales.opportunities"),
    "tasks": ("Task", "tasks"),
    "cases": ("Case", "service.cases"),
    "invoices": ("Invoice", "billing.invoices"),
    "solutions": ("Solution", "service.solutions"),
    "tags": ("Tag", "organisation.tags"),
    "teams": ("Team", "organisation.teams"),
    "people": ("Profile", ""),
    "custom_fields": ("CustomFieldDefinition", ""),
}


KEPT_WITH_RECORDS = {"common.Comment": "Comment", "common.Attachments": "Attachment"}


def stand_in(entity: Entity, app: str, model: str, module: str) -> Entity:
    """The entity with a model of this app, and with the write serializer of one of its modules."""
    label = app.rpartition(".")[2]
    includes = tuple(
        replace(each, model=f"{label}.{KEPT_WITH_RECORDS[each.model]}") if each.model else each
        for each in entity.includes
    )
    stands = replace(entity, model=f"{label}.{model}", includes=includes)
    if not entity.write_serializers:
        return stands
    serializer = f"{app}.entities.{module}.{model}WriteSerializer"
    return replace(stands, write_serializers=(serializer, serializer))


CATALOGUE = replace(
    bottlecrm.CATALOGUE,
    entities=tuple(
        stand_in(each, "demo_crm", *STAND_INS[each.name]) for each in bottlecrm.CATALOGUE.entities
    ),
    # The demo has nothing of what BottleCRM serves on request.
    optional=(),
)
