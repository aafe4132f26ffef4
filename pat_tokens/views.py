from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pat_tokens.models import Token
from pat_tokens.permissions import SignedInPerson
from pat_tokens.serializers import NewTokenSerializer, TokenSerializer


class TokenListView(APIView):
    permission_classes = (SignedInPerson,)

    def get(self, request: Request) -> Response:
        tokens = _own_tokens(request).order_by("-created_at")
        return Response({"tokens": TokenSerializer(tokens, many=True).data})

    def post(self, request: Request) -> Response:
        serializer = NewTokenSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        token, secret = Token.create(owner=_profile(request), **serializer.validated_data)
        return Response(
            {**TokenSerializer(token).data, "token": secret},
            status=status.HTTP_201_CREATED,
            headers={"Cache-Control": "no-store"},
        )


class TokenDetailView(APIView):
    permission_classes = (SignedInPerson,)

    def delete(self, request: Request, pk: UUID) -> Response:
        get_object_or_404(_own_tokens(request), pk=pk).revoke()
        return Response(status=status.HTTP_204_NO_CONTENT)


def _own_tokens(request: Request) -> QuerySet[Token]:
    return Token.objects.filter(owner=_profile(request))


def _profile(request: Request) -> Any:
    return request.profile  # type: ignore[attr-defined]
