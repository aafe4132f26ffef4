"""The demo's contract, with all that BottleCRM's has on request."""

from dataclasses import replace

from bottlecrm_mcp.catalogue import bottlecrm
from demo_crm import catalogue as demo

# The model of each, and the module of its views.
STAND_INS = {
    "documents": ("Document", "documents"),
    "estimates": ("Estimate", "quotes"),
    "recurring_invoices": ("RecurringInvoice", "quotes"),
    "products": ("Product", "products"),
    "goals": ("SalesGoal", "goals"),
    "boards": ("Board", "boards"),
    "macros": ("Macro", "macros"),
}

CATALOGUE = replace(
    demo.CATALOGUE,
    optional=(
        *demo.CATALOGUE.optional,
        *(
            demo.stand_in(each, "tests.optional_crm", *STAND_INS[each.name])
            for each in bottlecrm.CATALOGUE.optional
            if each.name in STAND_INS
        ),
    ),
)
