"""URLs of the demo when it is run: a start page, which signs people in, before the others."""

from django.urls import include, path

from settings import urls

handler500 = urls.handler500

urlpatterns = [path("", include("demo_crm.start_page")), *urls.urlpatterns]
