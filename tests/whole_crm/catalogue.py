"""The demo's contract, with all that BottleCRM's has on request."""

from dataclasses import replace

from bottlecrm_mcp.catalogue import bottlecrm
from demo_crm import catalogue as demo

HERE, DEMO = "tests.whole_crm", "demo_crm"
# The app, the model and the module of the views of each.
STAND_INS = {
    "documents": (HERE, "Document", "documents"),
    "estimates": (HERE, "Estimate", "quotes"),
    "recurring_invoices": (HERE, "RecurringInvoice", "quotes"),
    "products": (HERE, "Product", "products"),
    "goals": (HERE, "SalesGoal", "goals"),
    "boards": (HERE, "Board", "boards"),
    "time_entries": (DEMO, "TimeEntry", "service.time_entries"),
    "macros": (HERE, "Macro", "macros"),
}

CATALOGUE = replace(
    demo.CATALOGUE,
    optional=tuple(
        demo.stand_in(each, *STAND_INS[each.name]) for each in bottlecrm.CATALOGUE.optional
    ),
)
