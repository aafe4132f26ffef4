"""REST for administrators: the organisation's tokens, its policy and its events."""

from uuid import UUID

from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from pat_tokens.host import host_tokens_of
from pat_tokens.models import Event
from pat_tokens.oversight import (
    EVENTS_SHOWN,
    events_of,
    org_tokens,
    revoke_every,
    revoke_one,
    totals,
)
from pat_tokens.permissions import OrgAdmin
from pat_tokens.policy import change_policy, policy_of
from pat_tokens.serializers import (
    EventSerializer,
    PolicySerializer,
    RevokeSerializer,
    TokenSerializer,
    host_row,
    with_owner,
)
from pat_tokens.views import TokenView, invalid


class OrgView(TokenView):
    permission_classes = (OrgAdmin,)


class OrgTokenListView(OrgView):
    serializer_class = TokenSerializer

    def get(self, request: Request) -> Response:
        tokens, rows = org_tokens(self.owner.org_id), host_tokens_of(self.owner.org_id)
        shown = [with_owner({**TokenSerializer(each).data}, each.owner) for each in tokens]
        shown += [with_owner(host_row(row), row.profile) for row in rows]
        return Response({"error": False, "tokens": shown, "totals": totals(tokens, rows)})


class OrgTokenDetailView(OrgView):
    serializer_class = TokenSerializer

    def delete(self, request: Request, pk: UUID) -> Response:
        if not revoke_one(self.owner, pk):
            raise Http404
        return Response({"error": False})


class OrgRevokeView(OrgView):
    serializer_class = RevokeSerializer

    def post(self, request: Request) -> Response:
        serializer = RevokeSerializer(data=request.data)
        if not serializer.is_valid():
            return invalid(serializer)
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
            return invalid(serializer)
        changed = change_policy(self.owner, **serializer.validated_data)
        return Response({"error": False, **PolicySerializer(changed).data})


class OrgEventListView(OrgView):
    """Newest first; `?kind=`, `?token=` and `?limit=` (at most 100) narrow it."""

    serializer_class = EventSerializer

    def get(self, request: Request) -> Response:
        filters = {}
        if kind := request.query_params.get("kind"):
            filters["kind"] = _kind(kind)
        if token := request.query_params.get("token"):
            filters["token_id"] = _uuid(token)
        limit = _limit(request.query_params.get("limit", str(EVENTS_SHOWN)))
        events = events_of(self.owner.org_id, limit, **filters)
        return Response({"error": False, "events": EventSerializer(events, many=True).data})


def _kind(value: str) -> str:
    if value not in Event.Kind.values:
        raise ValidationError({"kind": f"One of {', '.join(Event.Kind.values)}."})
    return value


def _uuid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValidationError({"token": "The id of a token."}) from None


def _limit(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= EVENTS_SHOWN:
        raise ValidationError({"limit": f"A number from 1 to {EVENTS_SHOWN}."})
    return int(value)
