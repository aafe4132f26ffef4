"""URLs of the pages: include them at `settings/api-tokens/`."""

from django.urls import path, re_path

from pat_tokens.pages import (
    admin_views,
    call_views,
    change_views,
    connection_views,
    sign_in_views,
    views,
)

app_name = "pat_tokens_page"

urlpatterns = [
    path("", views.tokens, name="tokens"),
    path("new/", views.new, name="new"),
    path("<uuid:pk>/", views.token, name="token"),
    path("<uuid:pk>/connection/", views.connection, name="connection"),
    path("<uuid:pk>/rotate/", change_views.rotate, name="rotate"),
    path("<uuid:pk>/edit/", change_views.edit, name="edit"),
    path("<uuid:pk>/pause/", change_views.pause, name="pause"),
    path("<uuid:pk>/revoke/", change_views.revoke, name="revoke"),
    path("calls/", call_views.own_calls, name="calls"),
    path("calls/csv/", call_views.own_calls_csv, name="calls-csv"),
    path("sign-in/", sign_in_views.sign_in, name="sign-in"),
    path("sign-in/organisation/", sign_in_views.choose_organisation, name="choose-organisation"),
    path("sign-out/", sign_in_views.sign_out, name="sign-out"),
    path("connect/", connection_views.consent, name="consent"),
    path("connections/", connection_views.connections, name="connections"),
    path("connections/<uuid:pk>/end/", connection_views.end, name="disconnect"),
    path(
        "organisation/connections/",
        connection_views.connections_of_organisation,
        name="org-connections",
    ),
    path(
        "organisation/connections/<uuid:pk>/end/",
        connection_views.end_in_organisation,
        name="org-disconnect",
    ),
    path("organisation/", admin_views.organisation, name="organisation"),
    path("organisation/<uuid:pk>/", admin_views.token, name="org-token"),
    path("organisation/<uuid:pk>/revoke/", admin_views.revoke, name="org-revoke"),
    path("organisation/of/<str:member>/revoke/", admin_views.revoke_person, name="org-person"),
    path("organisation/revoke/", admin_views.revoke_all, name="org-all"),
    path("organisation/policy/", admin_views.policy, name="policy"),
    path("organisation/stop/", admin_views.stop, name="stop"),
    path("organisation/allow/", admin_views.allow, name="allow"),
    path("organisation/events/", admin_views.events, name="events"),
    path("organisation/events/csv/", admin_views.events_csv, name="events-csv"),
    path("organisation/calls/", call_views.org_calls, name="org-calls"),
    path("organisation/calls/csv/", call_views.org_calls_csv, name="org-calls-csv"),
    # With its last slash, so that Django can still add one that was forgotten; without dots, so
    # that nothing outside passes for a page of ours.
    re_path(r"^[\w/-]+/$", views.nowhere),
]
