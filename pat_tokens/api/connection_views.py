"""REST: a person's decision on a client that asks, and the connections that came of it."""

from collections.abc import Mapping
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
from pat_tokens.host.owners import email_of, name_of
from pat_tokens.http.plain_values import FlagField, WholeNumberField
from pat_tokens.lists.filters import PageForm, TokenFilter
from pat_tokens.models import AuthorizationRequest, Connection
from pat_tokens.oauth import redirects
from pat_tokens.oauth.connections import connection_page, earlier_connection, end_by_id
from pat_tokens.oauth.consent import (
    STAYS_CONFIRMED,
    NotAllowed,
    NotPending,
    Switched,
    approve,
    denial,
    deny,
)
from pat_tokens.oauth.offer import offer
from pat_tokens.oauth.requests import pending_request
from pat_tokens.services import presets
from pat_tokens.services.policy import policy_of
from pat_tokens.services.revocation import BY_ADMIN


class Over(APIException):
    status_code = status.HTTP_410_GONE


class Forbidden(APIException):
    status_code = status.HTTP_403_FORBIDDEN


class SomebodyElse(APIException):
    status_code = status.HTTP_409_CONFLICT


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
    """`access` is a preset, as for a token; `entities` goes with access `entities`.

    `owner` is for whom the page was made: another tab may have switched the organisation.
    """

    decision = serializers.ChoiceField(choices=["allow", "deny"])
    owner = serializers.CharField(required=False)
    access = serializers.ChoiceField(choices=list(presets.ACCESS), default="read_only")
    entities = serializers.DictField(child=serializers.CharField(), required=False)
    days = WholeNumberField(required=False)
    replaces = FlagField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["decision"] == "deny":
            return attrs
        if missing := {"days", "owner"} - set(attrs):
            said = "Needed to allow it: send what was offered and shown."
            raise serializers.ValidationError(dict.fromkeys(missing, said))
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
        earlier = earlier_connection(self.owner, asked.client_id)
        offered = offer(asked, policy_of(self.owner.org_id), earlier)
        return Response(
            {
                "error": False,
                "client_name": asked.client_name,
                "client_host": asked.client_host,
                "redirect_to": redirects.place(asked.redirect_uri),
                "is_loopback": redirects.is_loopback(asked.redirect_uri),
                "owner": str(self.owner.pk),
                "person": name_of(self.owner),
                "email": email_of(self.owner),
                "organisation": str(self.owner.org),
                "asks_for": presets.summary(asked.scopes),
                "may_already": offered.may_already,
                "default_replaces": offered.default_replaces,
                "access": _choices(offered.access),
                "default_access": offered.default_access,
                "entities": _choices(offered.entities),
                "entity_access": _choices(offered.entity_access),
                "default_entities": offered.default_entities,
                "days": _choices(offered.days),
                "default_days": offered.default_days,
                "stays_confirmed": STAYS_CONFIRMED,
                "denial": denial(self.owner, asked),
            },
            headers=NEVER_STORED,
        )

    @sensitive_variables()
    def post(self, request: Request, pk: UUID) -> Response:
        serializer = DecisionSerializer(data=request.data)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        chosen = serializer.validated_data
        try:
            url = deny(pk) if chosen["decision"] == "deny" else self._approved(pk, chosen)
        except NotPending as over:
            raise Over(str(over)) from over
        except NotAllowed as refusal:
            raise Forbidden(str(refusal)) from refusal
        except Switched as changed:
            raise SomebodyElse(str(changed)) from changed
        return Response({"error": False, "redirect_to": url}, headers=NEVER_STORED)

    def _approved(self, pk: UUID, chosen: dict[str, Any]) -> str:
        if chosen["owner"] != str(self.owner.pk):
            raise Switched
        return approve(
            self.owner,
            pk,
            scopes=chosen["scopes"],
            days=chosen["days"],
            replaces=chosen["replaces"],
        )


def _choices(offered: Mapping[Any, str]) -> list[dict[str, Any]]:
    return [{"value": value, "label": label} for value, label in offered.items()]


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
