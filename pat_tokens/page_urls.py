"""The pages, to be included at `settings/api-tokens/` of a host that has Django sessions."""

from django.urls import path

from pat_tokens import connection_pages, org_pages, pages

app_name = "pat_tokens_page"

urlpatterns = [
    path("", pages.tokens, name="tokens"),
    path("<uuid:pk>/", pages.token, name="token"),
    path("<uuid:pk>/connection/", pages.connection, name="connection"),
    path("<uuid:pk>/rotate/", pages.rotate, name="rotate"),
    path("<uuid:pk>/revoke/", pages.revoke, name="revoke"),
    path("connect/", connection_pages.consent, name="consent"),
    path("connections/", connection_pages.connections, name="connections"),
    path("connections/<uuid:pk>/end/", connection_pages.end, name="disconnect"),
    path(
        "organisation/connections/",
        connection_pages.connections_of_organisation,
        name="org-connections",
    ),
    path(
        "organisation/connections/<uuid:pk>/end/",
        connection_pages.end_in_organisation,
        name="org-disconnect",
    ),
    path("organisation/", org_pages.organisation, name="organisation"),
    path("organisation/<uuid:pk>/revoke/", org_pages.revoke, name="org-revoke"),
    path("organisation/of/<str:member>/revoke/", org_pages.revoke_person, name="org-person"),
    path("organisation/revoke/", org_pages.revoke_all, name="org-all"),
    path("organisation/policy/", org_pages.policy, name="policy"),
    path("organisation/events/", org_pages.events, name="events"),
    path("organisation/events/csv/", org_pages.events_csv, name="events-csv"),
]
