"""REST views of the call log: a member's own calls, and those of the organisation."""

from django.http.response import HttpResponseBase
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from pat_tokens.api.admin_views import CSVRenderer
from pat_tokens.api.permissions import OrgAdmin
from pat_tokens.api.serializers import CallSerializer
from pat_tokens.api.streaming import csv_stream
from pat_tokens.api.views import TokenView, invalid, query_errors
from pat_tokens.lists.call_filter import CallFilter, OwnCallFilter
from pat_tokens.lists.moments import zone_of
from pat_tokens.services.calls import call_page, calls_as_csv, calls_by_day


class CallListView(TokenView):
    """Newest first; narrowed and paged by the parameters of `CallFilter`."""

    serializer_class = CallSerializer

    def form(self, request: Request) -> CallFilter:
        return OwnCallFilter(request.query_params, owner=self.owner)

    def get(self, request: Request) -> HttpResponseBase:
        form = self.form(request)
        if errors := query_errors(form):
            return invalid(errors)
        return self.answer(request, form)

    def answer(self, request: Request, form: CallFilter) -> HttpResponseBase:
        page = call_page(form.org.pk, form.wanted, **form.position)
        calls = CallSerializer([row for _, row in page.lines], many=True).data
        return Response({"error": False, "next": page.next, "calls": calls})


class CallDaysView(CallListView):
    """How many calls each of the last 30 days had; `is_complete` where all are counted."""

    def answer(self, request: Request, form: CallFilter) -> HttpResponseBase:
        days, is_complete = calls_by_day(form.org.pk, form.wanted, zone_of(form.org))
        shown = [vars(each) for each in days]
        return Response({"error": False, "is_complete": is_complete, "days": shown})


class CallExportView(CallListView):
    """All calls that the parameters leave, as CSV."""

    renderer_classes = (JSONRenderer, CSVRenderer)

    def answer(self, request: Request, form: CallFilter) -> HttpResponseBase:
        return csv_stream(request._request, "calls", calls_as_csv(form.org.pk, form.wanted))


class OfOrganisation(CallListView):
    permission_classes = (OrgAdmin,)

    def form(self, request: Request) -> CallFilter:
        return CallFilter(request.query_params, org=self.owner.org)


class OrgCallListView(OfOrganisation):
    pass


class OrgCallDaysView(OfOrganisation, CallDaysView):
    pass


class OrgCallExportView(OfOrganisation, CallExportView):
    pass
