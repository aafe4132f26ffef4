"""BottleCRM's REST contract: paths, envelopes, fields, filters, actions, effects and quirks.

Observed on a running backend (MicroPyramid/Django-CRM, commit d3eb5f94 of 2026-08-08).
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue.entities.accounts import ACCOUNTS
from bottlecrm_mcp.catalogue.entities.cases import CASES
from bottlecrm_mcp.catalogue.entities.contacts import CONTACTS
from bottlecrm_mcp.catalogue.entities.invoices import INVOICES
from bottlecrm_mcp.catalogue.entities.leads import LEADS
from bottlecrm_mcp.catalogue.entities.opportunities import OPPORTUNITIES
from bottlecrm_mcp.catalogue.entities.solutions import SOLUTIONS
from bottlecrm_mcp.catalogue.entities.tasks import TASKS
from bottlecrm_mcp.catalogue.model import Catalogue, Lookup

PEOPLE = Lookup(
    "people",
    "person",
    label=(("user__name",), ("user__email",)),
    path="/api/users/get-teams-and-users/",
    rows="profiles",
    names=("user_details.email", "user_details.name"),
    resource="users",
)
TEAMS = Lookup(
    "teams",
    "team",
    label=(("name",),),
    path="/api/users/get-teams-and-users/",
    rows="teams",
    names=("name",),
    resource="users",
)
TAGS = Lookup(
    "tags",
    "tag",
    label=(("name",),),
    path="/api/tags/",
    rows="tags",
    names=("name",),
    resource="tags",
)
# `created_by` is a user, while `assigned_to` is a profile: a user's membership in one organisation.
USERS = Lookup("users", "user", label=(("name",), ("email",)))

CATALOGUE = Catalogue(
    entities=(LEADS, CONTACTS, ACCOUNTS, OPPORTUNITIES, TASKS, CASES, INVOICES, SOLUTIONS),
    lookups=(PEOPLE, TEAMS, TAGS, USERS),
    profile_path="/api/profile/",
    organisation_path="/api/org/settings/",
    custom_fields_path="/api/custom-fields/",
    optional=(),
)
