from django.urls import include, path

urlpatterns = [
    path("api/", include("pat_tokens.urls")),
    path("api/", include("demo_crm.urls")),
]
