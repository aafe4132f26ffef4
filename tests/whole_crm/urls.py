"""The demo's site, and what else of BottleCRM's API tests need."""

from django.urls import include, path

from settings.urls import handler500 as handler500
from settings.urls import urlpatterns as demo

urlpatterns = [
    path("api/invoices/", include("tests.whole_crm.entities.quotes")),
    path("api/invoices/", include("tests.whole_crm.entities.products")),
    path("api/opportunities/goals/", include("tests.whole_crm.entities.goals")),
    path("api/boards/", include("tests.whole_crm.entities.boards")),
    path("api/documents/", include("tests.whole_crm.entities.documents")),
    path("api/macros/", include("tests.whole_crm.entities.macros")),
    path("api/time-entries/", include("tests.whole_crm.entities.time_entries")),
    path("api/cases/", include("tests.whole_crm.entities.case_tree")),
    path("api/search/", include("tests.whole_crm.entities.search")),
    path("api/", include("tests.whole_crm.entities.moves")),
    *demo,
]
