"""The demo's site, with the routes of what BottleCRM has besides."""

from django.urls import include, path

from settings.urls import urlpatterns as demo

urlpatterns = [
    path("api/invoices/", include("tests.optional_crm.entities.quotes")),
    path("api/invoices/", include("tests.optional_crm.entities.products")),
    path("api/opportunities/goals/", include("tests.optional_crm.entities.goals")),
    path("api/boards/", include("tests.optional_crm.entities.boards")),
    path("api/documents/", include("tests.optional_crm.entities.documents")),
    path("api/macros/", include("tests.optional_crm.entities.macros")),
    *demo,
]
