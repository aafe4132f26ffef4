"""URLs of the demo: both apps, the demo's API, and its sign-in."""

from django.urls import include, path

handler500 = "demo_crm.views.server_error"

urlpatterns = [
    path("api/", include("pat_tokens.urls")),
    path("api/", include("demo_crm.urls")),
    path("settings/api-tokens/", include("pat_tokens.page_urls")),
    path("", include("demo_crm.access.sign_in")),
]
