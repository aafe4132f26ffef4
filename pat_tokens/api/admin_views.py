"""REST views for administrators: the organisation's tokens, its policy and its events."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from pat_tokens.api.permissions import OrgAdmin
from pat_tokens.api.serializers import (
    EventSerializer,
    PolicySerializer,
    RevokeSerializer,
    StopSerializer,
    TokenSerializer,
    with_owner,
)
from pat_tokens.api.views import NEVER_STORED, TOKEN_ROWS, TokenView, invalid, query_errors
from pat_tokens.lists.filters import EventFilter, TokenFilter
from pat_tokens.services.event_log import (
    MOST_ENTRIES,
    TooManyEntries,
    count_events,
    event_page,
    events_as_csv,
)
from pat_tokens.services.org_tokens import org_page, totals
from pat_tokens.services.policy import change_policy, policy_of
from pat_tokens.services.revocation import BY_ADMIN, revoke_by_id, revoke_every
from pat_tokens.services.stop import allow_agents, stop_agents

TOO_MANY_ENTRIES = f"More than {MOST_ENTRIES} entries: choose a shorter range, with from and to."


class OrgView(TokenView):
    permission_classes = (OrgAdmin,)


class OrgTokenListView(OrgView):
    """Live ones first; `?person=`, `?state=` narrow, `?cursor=` and `?limit=` page it."""

    serializer_class = TokenSerializer

    def get(self, request: Request) -> Response:
        form = TokenFilter(request.query_params, org=self.owner.org)
        if errors := query_errors(form):
            return invalid(errors)
        org_id = self.owner.org_id
        page = org_page(org_id, **form.wanted, **form.position)
        rows = [with_owner(TOKEN_ROWS[kind](row), row.profile) for kind, row in page.lines]
        answer = {"tokens": rows, "next": page.next, "totals": totals(org_id)}
        return Response({"error": False, **answer})


class OrgTokenDetailView(OrgView):
    serializer_class = TokenSerializer

    def delete(self, request: Request, pk: UUID) -> Response:
        if not revoke_by_id(pk, by=self.owner, detail=BY_ADMIN):
            raise Http404
        return Response({"error": False})


class OrgRevokeView(OrgView):
    serializer_class = RevokeSerializer

    def post(self, request: Request) -> Response:
        serializer = RevokeSerializer(data=request.data)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        revoked = revoke_every(self.owner, serializer.validated_data.get("owner"))
        return Response({"error": False, "revoked": revoked})


class OrgPolicyView(OrgView):
    serializer_class = PolicySerializer

    def get(self, request: Request) -> Response:
        policy = policy_of(self.owner.org_id)
        return Response({"error": False, **PolicySerializer(policy).data})

    def patch(self, request: Request) -> Response:
        policy = policy_of(self.owner.org_id)
        serializer = PolicySerializer(policy, data=request.data, partial=True)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        changed = change_policy(self.owner, **serializer.validated_data)
        return Response({"error": False, **PolicySerializer(changed).data})


class OrgStopView(OrgView):
    """The emergency stop: POST with the `reason` that is told stops all, DELETE ends it."""

    serializer_class = StopSerializer

    def get(self, request: Request) -> Response:
        policy = policy_of(self.owner.org_id)
        names = ("stopped_at", "stopped_by", "stop_reason")
        return Response({"error": False, **{name: getattr(policy, name) for name in names}})

    def post(self, request: Request) -> Response:
        serializer = StopSerializer(data=request.data)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        stop_agents(self.owner, serializer.validated_data["reason"])
        return self.get(request)

    def delete(self, request: Request) -> Response:
        allow_agents(self.owner)
        return self.get(request)


class OrgEventListView(OrgView):
    """Newest first; narrowed and paged by the parameters of `EventFilter`."""

    serializer_class = EventSerializer

    def get(self, request: Request) -> Response:
        form = EventFilter(request.query_params, org=self.owner.org)
        if errors := query_errors(form):
            return invalid(errors)
        page = event_page(self.owner.org_id, form.wanted, **form.position)
        count = count_events(self.owner.org_id, form.wanted)
        return Response(
            {
                "error": False,
                "count": min(count, MOST_ENTRIES),
                "count_is_exact": count <= MOST_ENTRIES,
                "next": page.next,
                "events": EventSerializer([row for _, row in page.lines], many=True).data,
            }
        )


class CSVRenderer(JSONRenderer):
    """Lets a client ask for text/csv; errors are JSON all the same."""

    media_type = "text/csv"


class OrgEventExportView(OrgView):
    """All entries that the parameters of `EventFilter` leave, as CSV."""

    serializer_class = EventSerializer
    renderer_classes = (JSONRenderer, CSVRenderer)

    def get(self, request: Request) -> Response | HttpResponse:
        form = EventFilter(request.query_params, org=self.owner.org)
        if errors := query_errors(form):
            return invalid(errors)
        try:
            return csv_file(events_as_csv(self.owner.org_id, form.wanted))
        except TooManyEntries:
            return invalid({"from": [TOO_MANY_ENTRIES]})


def csv_file(text: str) -> HttpResponse:
    disposition = f'attachment; filename="events-{timezone.localdate()}.csv"'
    headers = {"Content-Disposition": disposition, **NEVER_STORED}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
