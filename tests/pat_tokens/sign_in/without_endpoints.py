"""A host whose people sign in otherwise."""

from django.urls import include, path

urlpatterns = [path("settings/api-tokens/", include("pat_tokens.page_urls"))]
