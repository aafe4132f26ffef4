"""Answers: the shapes that BottleCRM's views give; which one depends on the view."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response

Record = TypeVar("Record", bound=Model)


class Refused(APIException):
    """Ends a view with this body as it is."""

    def __init__(self, status_code: int, body: dict[str, Any]) -> None:
        super().__init__()
        self.status_code = status_code
        self.detail = body


def first_or_refuse(records: QuerySet[Record], refusal: APIException) -> Record:
    record = records.first()
    if record is None:
        raise refusal
    return record


def done(message: str, status_code: int = status.HTTP_200_OK, **more: Any) -> Response:
    return Response({"error": False, "message": message, **more}, status=status_code)


def invalid(errors: Any) -> Refused:
    return Refused(status.HTTP_400_BAD_REQUEST, {"error": True, "errors": errors})


def forbidden(errors: str) -> Refused:
    return Refused(status.HTTP_403_FORBIDDEN, {"error": True, "errors": errors})


def not_found(errors: str) -> Refused:
    return Refused(status.HTTP_404_NOT_FOUND, {"error": True, "errors": errors})


def refused(status_code: int, message: str) -> Refused:
    """The shape of everything about invoices, and of line items."""
    return Refused(status_code, {"error": True, "message": message})
