"""REST views of a person's own tokens. Paths and shapes are BottleCRM's, where it has them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.forms import Form
from django.http import Http404, HttpRequest
from django.views.decorators.debug import sensitive_variables
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pat_tokens.api.permissions import SignedInPerson
from pat_tokens.api.serializers import (
    ConnectSerializer,
    EditSerializer,
    NewTokenSerializer,
    NothingSerializer,
    RotateSerializer,
    TokenSerializer,
    host_row,
)
from pat_tokens.conf import token_settings
from pat_tokens.http.json_body import BoundedJSONParser
from pat_tokens.lists.filters import PageForm
from pat_tokens.lists.listing import HOST_TOKEN, TOKEN
from pat_tokens.models import Token
from pat_tokens.services import own_changes
from pat_tokens.services.client_configs import PLACEHOLDER, configurations
from pat_tokens.services.issue import create_token, rotate_token
from pat_tokens.services.own_tokens import own_page, own_token, revoke_own
from pat_tokens.services.policy import policy_of

NEVER_STORED = {"Cache-Control": "no-store"}
# By the kind of line.
TOKEN_ROWS: dict[str, Callable[[Any], dict[str, Any]]] = {
    TOKEN: lambda token: {**TokenSerializer(token).data},
    HOST_TOKEN: host_row,
}


class TokenView(APIView):
    # The views have a `serializer_class` for tools that describe an API, such as drf-spectacular.
    permission_classes = (SignedInPerson,)
    parser_classes = (BoundedJSONParser,)

    @property
    def owner(self) -> Any:
        return self.request.profile  # type: ignore[attr-defined]


class TokenListView(TokenView):
    serializer_class = TokenSerializer

    def get(self, request: Request) -> Response:
        """Live ones first; `next` is the `?cursor=` of the next page."""
        form = PageForm(request.query_params)
        if errors := query_errors(form):
            return invalid(errors)
        page = own_page(self.owner, **form.position)
        rows = [TOKEN_ROWS[kind](row) for kind, row in page.lines]
        return Response({"error": False, "tokens": rows, "next": page.next})

    @sensitive_variables()
    def post(self, request: Request) -> Response:
        context = {"org": self.owner.org, "policy": policy_of(self.owner.org_id)}
        serializer = NewTokenSerializer(data=request.data, context=context)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        token, secret = create_token(self.owner, **serializer.validated_data)
        return told_once(token, secret, status.HTTP_201_CREATED)


class TokenDetailView(TokenView):
    serializer_class = TokenSerializer

    def get(self, request: Request, pk: UUID) -> Response:
        return Response({"error": False, **TokenSerializer(found(self.owner, pk)).data})

    def patch(self, request: Request, pk: UUID) -> Response:
        token = found(self.owner, pk)
        serializer = EditSerializer(data=request.data)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        stored = {"name": token.name, "note": token.note}
        own_changes.edit(token, **{**stored, **serializer.validated_data})
        return Response({"error": False, **TokenSerializer(token).data})

    def delete(self, request: Request, pk: UUID) -> Response:
        if not revoke_own(self.owner, pk):
            raise Http404
        return Response({"error": False})


class TokenPauseView(TokenView):
    """Pauses or resumes, by what the URL gives as `change`; a second time nothing happens."""

    serializer_class = NothingSerializer
    change = staticmethod(own_changes.pause)

    def post(self, request: Request, pk: UUID) -> Response:
        token = found(self.owner, pk)
        serializer = NothingSerializer(data=request.data)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        self.change(token)
        return Response({"error": False, **TokenSerializer(found(self.owner, pk)).data})


class TokenRotateView(TokenView):
    serializer_class = RotateSerializer

    @sensitive_variables()
    def post(self, request: Request, pk: UUID) -> Response:
        token = found(self.owner, pk)
        serializer = RotateSerializer(data=request.data)
        if not serializer.is_valid():
            return invalid(serializer.errors)
        overlap = timedelta(hours=serializer.validated_data["overlap_hours"])
        secret = rotate_token(token, overlap)
        return told_once(token, secret, status.HTTP_200_OK)


class ConnectView(TokenView):
    """The ready configurations, with a placeholder for the token."""

    serializer_class = ConnectSerializer

    def get(self, request: Request) -> Response:
        url = mcp_url(request._request)
        clients = [each.as_dict() for each in configurations(url)]
        return Response(
            {"error": False, "mcp_url": url, "placeholder": PLACEHOLDER, "clients": clients}
        )


def found(owner: Any, pk: UUID) -> Token:
    """The person's own token. Raises `Http404`."""
    token = own_token(owner, pk)
    if token is None:
        raise Http404
    return token


def mcp_url(request: HttpRequest) -> str:
    return token_settings.mcp_url or request.build_absolute_uri("/mcp")


def query_errors(form: Form) -> dict[str, list[str]]:
    """What is wrong with the parameters, by name; one that is not known is never ignored."""
    unknown = sorted(set(form.data) - set(form.fields))
    if unknown:
        return {each: [f"Not a parameter: use {', '.join(form.fields)}."] for each in unknown}
    return {name: [str(each) for each in errors] for name, errors in form.errors.items()}


def invalid(errors: Any) -> Response:
    return Response({"error": True, "errors": errors}, status.HTTP_400_BAD_REQUEST)


@sensitive_variables()
def told_once(token: Token, secret: str, status_code: int) -> Response:
    """The answer that holds the secret, which is never told again; no cache may store it."""
    body = {"error": False, **TokenSerializer(token).data, "token": secret}
    return Response(body, status_code, headers=NEVER_STORED)
