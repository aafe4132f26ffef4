"""Excluded routes: those of BottleCRM that no tool is to use, each with the reason.

A route is "METHOD path" with `{}` for an id; `*` stands for any method or any part of a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

EXCLUDED: Mapping[str, tuple[str, ...]] = {
    "It reads or manages credentials, which no token may do.": (
        "* /api/profile/tokens/*",
        "* /api/org/tokens/*",
        "* /api/org/api-key/",
        "* /api/api-settings/*",
    ),
    "It sets a status past the checks of the record's own route; crm_update goes through them.": (
        "PATCH /api/*/{}/move/",
    ),
    "It closes cases past an active approval rule; the action closes each by its own route.": (
        "POST /api/cases/{}/close-with-children/",
    ),
    "It checks no access to the case; link_parent goes through the case's own route.": (
        "POST /api/cases/{}/link/",
    ),
    "It changes or hides any case of the organisation, unchecked; crm_update is checked.": (
        "POST /api/cases/bulk/*/",
    ),
    "It sends free text to customers, and for accounts that the person can't see.": (
        "POST /api/accounts/{}/create_mail/",
    ),
    "It answers 500 for every valid won opportunity.": ("POST /api/invoices/from-opportunity/{}/",),
    "It bills any time entry of the organisation, unchecked.": (
        "POST /api/invoices/from-time-entries/",
    ),
    "It turns a schedule on or off, whichever it is not; pause and resume say which.": (
        "POST /api/invoices/recurring/{}/toggle/",
    ),
    "Another route does the same.": (
        "DELETE /api/cases/{}/solutions/",
        "POST /api/cases/{}/solutions/{}/",
        "GET /api/teams/*",
    ),
    "crm_get shows the same with include or in the record.": (
        "GET /api/boards/columns/{}/tasks/",
        "GET /api/cases/{}/activities/",
        "GET /api/cases/{}/tree/",
        "GET /api/cases/{}/time-summary/",
        "GET /api/*/{}/line-items/",
        "GET /api/*/{}/line-items/{}/",
        "GET /api/invoices/{}/payments/",
    ),
    "crm_search and crm_summarize answer it, for every field.": (
        "GET /api/search/",
        "GET /api/dashboard/*",
        "GET /api/*/kanban/",
        "GET /api/cases/watching/",
        "GET /api/cases/analytics/*/",
        "GET /api/cases/csat/aggregate/",
        "GET /api/invoices/reports/*/",
        "GET /api/opportunities/goals/leaderboard/",
        "GET /api/time-entries/unbilled/",
    ),
    "It configures the CRM for everybody: a task for a person on the settings pages.": (
        "* /api/*/pipelines/*",
        "* /api/*/stages/*",
        "* /api/cases/reopen-policy/",
        "* /api/cases/escalation-policies/*",
        "* /api/cases/routing-rules/*",
        "* /api/cases/mailboxes/*",
        "* /api/cases/approval-rules/*",
        "* /api/opportunities/aging-config/",
        "* /api/invoices/templates/*",
        "* /api/business-hours/*",
        "* /api/custom-fields/*",
        "* /api/org/*",
        "PATCH /api/profile/",
        "* /api/packs/*",
    ),
    "People are invited, changed and removed by an administrator on the settings pages.": (
        "* /api/users/",
        "* /api/user/{}/*",
    ),
    "It signs people in and out, which is not for tokens.": ("* /api/auth/*",),
    "It is for customers without an account, who have a secret link.": ("* /api/public/*",),
    "It shows everybody what anybody did in the organisation.": ("GET /api/activities/",),
    "It belongs to the web pages: notices there, and the API's own documentation.": (
        "* /api/notifications/*",
        "GET /api/schema/*",
    ),
    "It takes or gives a file, which a tool call does not carry.": (
        "POST /api/*/import/*/",
        "POST /api/leads/upload/",
        "POST /api/documents/",
        "GET /api/invoices/*/pdf/",
        "GET /api/*/{}/download/",
    ),
    "It is for other programs: a web form, an incoming mailbox.": (
        "POST /api/leads/create-from-site/",
        "POST /api/cases/inbound/{}/",
    ),
}


def reason_for_exclusion(route: str) -> str:
    """Why no tool uses this route, or an empty string."""
    for reason, patterns in EXCLUDED.items():
        if any(fnmatchcase(route, pattern) for pattern in patterns):
            return reason
    return ""
