"""URLs of the REST API, to be included at `api/`."""

from django.urls import include, path

from demo_crm.access import magic_link
from demo_crm.entities.files import Download
from demo_crm.entities.organisation import lookups
from demo_crm.entities.service import time_entries

urlpatterns = [
    path("auth/login/", lookups.Login.as_view()),
    path("auth/magic-link/request/", magic_link.RequestCode.as_view()),
    path("auth/magic-link/verify-code/", magic_link.VerifyCode.as_view()),
    path("profile/", lookups.OwnProfile.as_view()),
    path("org/", lookups.OwnOrgs.as_view()),
    path("org/settings/", lookups.OrgSettings.as_view()),
    path("users/get-teams-and-users/", lookups.TeamsAndUsers.as_view()),
    path("teams/", include("demo_crm.entities.organisation.teams")),
    path("tags/", include("demo_crm.entities.organisation.tags")),
    path("custom-fields/", lookups.CustomFields.as_view()),
    path("custom-fields/<uuid:pk>/", lookups.CustomField.as_view()),
    path("leads/", include("demo_crm.entities.sales.leads")),
    path("contacts/", include("demo_crm.entities.sales.contacts")),
    path("accounts/", include("demo_crm.entities.sales.accounts")),
    path("opportunities/", include("demo_crm.entities.sales.opportunities")),
    path("tasks/", include("demo_crm.entities.tasks")),
    path("cases/", include("demo_crm.entities.service.cases")),
    path("cases/", include("demo_crm.entities.service.case_actions")),
    path("cases/", include("demo_crm.entities.service.approvals")),
    path("cases/", include(time_entries.case_urls)),
    path("time-entries/", include(time_entries)),
    path("invoices/", include("demo_crm.entities.billing.invoices")),
    path("invoices/", include("demo_crm.entities.billing.invoice_actions")),
    path("attachments/<uuid:pk>/download/", Download.as_view()),
]
