"""BottleCRM's REST contract: paths, envelopes, fields, filters, actions, effects and quirks.

Observed on a running backend (MicroPyramid/Django-CRM, commit d3eb5f94 of 2026-08-08).
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue.entities.accounts import ACCOUNTS
from bottlecrm_mcp.catalogue.entities.cases import CASES
from bottlecrm_mcp.catalogue.entities.contacts import CONTACTS
from bottlecrm_mcp.catalogue.entities.custom_fields import CUSTOM_FIELDS
from bottlecrm_mcp.catalogue.entities.invoices import INVOICES
from bottlecrm_mcp.catalogue.entities.leads import LEADS
from bottlecrm_mcp.catalogue.entities.opportunities import OPPORTUNITIES
from bottlecrm_mcp.catalogue.entities.people import PEOPLE
from bottlecrm_mcp.catalogue.entities.solutions import SOLUTIONS
from bottlecrm_mcp.catalogue.entities.tags import TAGS
from bottlecrm_mcp.catalogue.entities.tasks import TASKS
from bottlecrm_mcp.catalogue.entities.teams import TEAMS
from bottlecrm_mcp.catalogue.model import Catalogue, Lookup
from bottlecrm_mcp.catalogue.my_day import DUTIES
from bottlecrm_mcp.catalogue.optional.boards import BOARDS
from bottlecrm_mcp.catalogue.optional.documents import DOCUMENTS
from bottlecrm_mcp.catalogue.optional.estimates import ESTIMATES
from bottlecrm_mcp.catalogue.optional.goals import GOALS
from bottlecrm_mcp.catalogue.optional.macros import MACROS
from bottlecrm_mcp.catalogue.optional.products import PRODUCTS
from bottlecrm_mcp.catalogue.optional.recurring_invoices import RECURRING_INVOICES
from bottlecrm_mcp.catalogue.optional.time_entries import TIME_ENTRIES
from bottlecrm_mcp.catalogue.prompts import PROMPTS

# `created_by` is a user, while `assigned_to` is a profile: a user's membership in one organisation.
USERS = Lookup(
    "users", "user", (("name",), ("email",)), entity="people", key="user_id", own="user_id"
)

# Bundled in BottleCRM's answers.
WITHHELD = frozenset(
    {
        "accounts_list",
        "assigned_data",
        "comment_permission",
        "contacts_list",
        "countries",
        "custom_field_definitions",
        "industries",
        "public_token",
        "public_url",
        "users",
        "users_excluding_team",
        "users_mention",
    }
)

CATALOGUE = Catalogue(
    entities=(
        LEADS,
        CONTACTS,
        ACCOUNTS,
        OPPORTUNITIES,
        TASKS,
        CASES,
        INVOICES,
        SOLUTIONS,
        TAGS,
        TEAMS,
        PEOPLE,
        CUSTOM_FIELDS,
    ),
    lookups=(USERS,),
    profile_path="/api/profile/",
    organisation_path="/api/org/settings/",
    duties=DUTIES,
    prompts=PROMPTS,
    withheld=WITHHELD,
    optional=(
        DOCUMENTS,
        ESTIMATES,
        RECURRING_INVOICES,
        PRODUCTS,
        GOALS,
        BOARDS,
        TIME_ENTRIES,
        MACROS,
    ),
)
