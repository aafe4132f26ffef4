"""URLs of the REST API: include them at `api/`, before the host's own."""

from django.urls import path

from pat_tokens.api import admin_views, call_views, connection_views, views
from pat_tokens.services import own_changes

app_name = "pat_tokens"

urlpatterns = [
    path("profile/tokens/", views.TokenListView.as_view(), name="list"),
    path("profile/tokens/connect/", views.ConnectView.as_view(), name="connect"),
    path(
        "profile/tokens/authorizations/<uuid:pk>/",
        connection_views.AuthorizationView.as_view(),
        name="authorization",
    ),
    path(
        "profile/tokens/connections/",
        connection_views.ConnectionListView.as_view(),
        name="connections",
    ),
    path(
        "profile/tokens/connections/<uuid:pk>/",
        connection_views.ConnectionDetailView.as_view(),
        name="connection",
    ),
    path("profile/tokens/calls/", call_views.CallListView.as_view(), name="calls"),
    path("profile/tokens/calls/days/", call_views.CallDaysView.as_view(), name="call-days"),
    path("profile/tokens/calls/csv/", call_views.CallExportView.as_view(), name="calls-csv"),
    path("profile/tokens/<uuid:pk>/", views.TokenDetailView.as_view(), name="detail"),
    path("profile/tokens/<uuid:pk>/rotate/", views.TokenRotateView.as_view(), name="rotate"),
    path("profile/tokens/<uuid:pk>/pause/", views.TokenPauseView.as_view(), name="pause"),
    path(
        "profile/tokens/<uuid:pk>/resume/",
        views.TokenPauseView.as_view(change=own_changes.resume),
        name="resume",
    ),
    path("org/tokens/", admin_views.OrgTokenListView.as_view(), name="org-list"),
    path(
        "org/tokens/connections/",
        connection_views.OrgConnectionListView.as_view(),
        name="org-connections",
    ),
    path(
        "org/tokens/connections/<uuid:pk>/",
        connection_views.OrgConnectionDetailView.as_view(),
        name="org-connection",
    ),
    path("org/tokens/revoke/", admin_views.OrgRevokeView.as_view(), name="org-revoke"),
    path("org/tokens/policy/", admin_views.OrgPolicyView.as_view(), name="org-policy"),
    path("org/tokens/stop/", admin_views.OrgStopView.as_view(), name="org-stop"),
    path("org/tokens/events/", admin_views.OrgEventListView.as_view(), name="org-events"),
    path("org/tokens/events/csv/", admin_views.OrgEventExportView.as_view(), name="org-events-csv"),
    path("org/tokens/calls/", call_views.OrgCallListView.as_view(), name="org-calls"),
    path("org/tokens/calls/days/", call_views.OrgCallDaysView.as_view(), name="org-call-days"),
    path("org/tokens/calls/csv/", call_views.OrgCallExportView.as_view(), name="org-calls-csv"),
    path("org/tokens/<uuid:pk>/", admin_views.OrgTokenDetailView.as_view(), name="org-detail"),
]
