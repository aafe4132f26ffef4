"""BottleCRM's contract, with the models and serializers that stand for BottleCRM's here."""

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
    "documents": "Document",
    "estimates": "Estimate",
    "recurring_invoices": "RecurringInvoice",
    "products": "Product",
    "goals": "SalesGoal",
    "boards": "Board",
    "time_entries": "TimeEntry",
    "macros": "Macro",
}
# Where two kinds of record share a module.
MODULES = {"estimates": "quotes", "recurring_invoices": "quotes"}


def _stand_in(entity: Entity) -> Entity:
    name = NAMES[entity.name]
    stand_in = replace(entity, model=f"demo_crm.{name}")
    if not entity.write_serializers:
        return stand_in
    serializer = f"demo_crm.entities.{MODULES.get(entity.name, entity.name)}.{name}WriteSerializer"
    return replace(stand_in, write_serializers=(serializer, serializer))


CATALOGUE = replace(
    bottlecrm.CATALOGUE,
    entities=tuple(map(_stand_in, bottlecrm.CATALOGUE.entities)),
    optional=tuple(map(_stand_in, bottlecrm.CATALOGUE.optional)),
)
