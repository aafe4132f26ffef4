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
}

# Actions and lists that nothing stands for here.
LEFT_OUT = {
    "cases": {
        "log_time",
        "start_timer",
        "stop_timer",
        "delete_time_entry",
        "request_approval",
        "approve",
        "reject",
        "cancel_approval",
        "time_entries",
        "approvals",
        "suggested_solutions",
    },
    "invoices": {"delete_attachment"},
}


def _stand_in(entity: Entity) -> Entity:
    name = NAMES[entity.name]
    serializer = f"demo_crm.entities.{entity.name}.{name}WriteSerializer"
    left_out = LEFT_OUT.get(entity.name, set())
    return replace(
        entity,
        model=f"demo_crm.{name}",
        write_serializers=(serializer, serializer),
        actions=tuple(each for each in entity.actions if each.name not in left_out),
        includes=tuple(each for each in entity.includes if each.name not in left_out),
    )


CATALOGUE = replace(
    bottlecrm.CATALOGUE, entities=tuple(map(_stand_in, bottlecrm.CATALOGUE.entities))
)
