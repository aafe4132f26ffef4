"""REST: a person's decision on a client that asks, and the connections that came of it."""

from typing import Any
from uuid import UUID

from django.http import Http404
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from pat_tokens.api.admin_views import OrgView
from pat_tokens.api.serializers import with_owner
from pat_tokens.api.views import NEVER_STORED, TokenView, invalid, query_errors
from pat_tokens.lists.filters import PageForm, TokenFilter
from pat_tokens.models import AuthorizationRequest, Connection
from pat_tokens.oauth import redirects
from pat_tokens.oauth.connections import connection_page, end_by_id
from pat_tokens.oauth.consent import (
    NotAllowed,
    NotPending,
    approve,
    days_offered,
    denial,
    deny,
)
from pat_tokens.oauth.forms import may_write
from pat_tokens.oauth.requests import pending_request
from pat_tokens.plain_values import WholeNumberField
from pat_tokens.services import presets
from pat_tokens.services.policy import policy_of
from pat_tokens.services.revocation import BY_ADMIN


class Over(APIException):
    status_code = status.HTTP_410_GONE


class Forbidden(APIException):
    status_code = status.HTTP_403_FORBIDDEN


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    status = serializers.CharField()
    status_reason = serializers.CharField()
    ends_at = serializers.DateTimeField()
    access = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields = (
            "id",
            "client_id",
            "client_name",
            "client_host",
            "redirect_host",
            "scopes",
            "access",
            "status",
            "status_reason",
            "created_at",
            "ends_at",
            "last_used_at",
            "last_used_address",
            "last_used_client",
        )
        read_only_fields = fields

    def get_access(self, connection: Connection) -> str:
        return presets.summary(connection.scopes)


class DecisionSerializer(serializers.Serializer[Any]):
    """`access` is a preset, as for a token; `entities` goes with access `entities`."""

    decision = serializers.ChoiceField(choices=["allow", "deny"])
    access = serializers.ChoiceField(choices=list(presets.ACCESS), default="read_only")
    entities = serializers.DictField(child=serializers.CharField(), required=False)
    days = WholeNumberField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["decision"] == "allow" and "days" not in attrs:
            raise serializers.ValidationError({"days": "Say for how many days."})
        try:
            attrs["scopes"] = presets.scopes_for(attrs["access"], attrs.get("entities", {}))
        except ValueError as error:
            raise serializers.ValidationError({"entities": str(error)}) from error
        return attrs


class AuthorizationView(TokenView):
    """For a consent page of the host's own front end. The organisation is the request's."""

    serializer_class = DecisionSerializer

    def get(self, request: Request, pk: UUID) -> Response:
        asked = _pending(pk)
        policy = policy_of(self.owner.org_id)
        return Response(
            {
                "error": False,
                "client_name": asked.client_name,
                "client_host": asked.client_host,
                "redirect_to": redirects.place(asked.redirect_uri),
                "is_loopback": redirects.is_loopback(asked.redirect_uri),
                "asks_for": presets.summary(asked.scopes),
                "may_write": may_write(asked, policy),
                "default_access": policy.default_access,
                "entities": presets.entities(),
                "days": days_offered(policy),
                "denial": denial(self.owner, asked),
            }
        )

    @sensitive_variables()
    def post(self, request: Request, pk: UUID) -> Response:
        serializer = DecisionSerializer(data=request.data)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        chosen = serializer.validated_data
        try:
            if chosen["decision"] == "deny":
                url = deny(pk)
            else:
                url = approve(self.owner, pk, scopes=chosen["scopes"], days=chosen["days"])
        except NotPending as over:
            raise Over(str(over)) from over
        except NotAllowed as refusal:
            raise Forbidden(str(refusal)) from refusal
        return Response({"error": False, "redirect_to": url}, headers=NEVER_STORED)


def _pending(pk: UUID) -> AuthorizationRequest:
    asked = pending_request(pk)
    if asked is None:
        raise Over(str(NotPending()))
    return asked


class ConnectionListView(TokenView):
    """Live ones first; `?cursor=` and `?limit=` page it."""

    serializer_class = ConnectionSerializer

    def get(self, request: Request) -> Response:
        form = PageForm(request.query_params)
        if errors := query_errors(form):
            return invalid(errors)
        page = connection_page(self.owner.org_id, person=self.owner.pk, **form.position)
        rows = [ConnectionSerializer(row).data for _, row in page.lines]
        return Response({"error": False, "connections": rows, "next": page.next})


class ConnectionDetailView(TokenView):
    serializer_class = ConnectionSerializer

    def delete(self, request: Request, pk: UUID) -> Response:
        if not end_by_id(pk, by=self.owner, person=self.owner.pk):
            raise Http404
        return Response({"error": False})


class OrgConnectionListView(OrgView):
    """Live ones first; `?person=`, `?state=` narrow, `?cursor=` and `?limit=` page it."""

    serializer_class = ConnectionSerializer

    def get(self, request: Request) -> Response:
        form = TokenFilter(request.query_params, org=self.owner.org)
        if errors := query_errors(form):
            return invalid(errors)
        page = connection_page(self.owner.org_id, **form.wanted, **form.position)
        rows = [with_owner({**ConnectionSerializer(row).data}, row.owner) for _, row in page.lines]
        return Response({"error": False, "connections": rows, "next": page.next})


class OrgConnectionDetailView(OrgView):
    serializer_class = ConnectionSerializer

    def delete(self, request: Request, pk: UUID) -> Response:
        if not end_by_id(pk, by=self.owner, detail=BY_ADMIN):
            raise Http404
        return Response({"error": False})
