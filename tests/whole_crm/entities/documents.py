from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm.answers import done, forbidden
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList
from demo_crm.entities.organisation import dropdowns
from demo_crm.filters import contains, exact
from demo_crm.serializers import (
    Brief,
    OrgSerializer,
    ProfileSerializer,
    RowSerializer,
    UserSerializer,
    WriteSerializer,
    names,
)
from tests.whole_crm import choices
from tests.whole_crm.models import Document

DENIED = "You do not have Permission to perform this action"


class DocumentSerializer(RowSerializer):
    prefetch = ("shared_to__user", "teams", "created_by")

    document_file = serializers.CharField(source="file_name", read_only=True)
    shared_to = ProfileSerializer(many=True, read_only=True)
    teams = Brief("name", many=True)
    created_by = UserSerializer(read_only=True)
    org = OrgSerializer(read_only=True)

    class Meta:
        model = Document
        fields = names(
            "id title document_file status shared_to teams size_bytes created_at created_by", "org"
        )


class DocumentWriteSerializer(WriteSerializer):
    document_file = serializers.FileField(write_only=True)
    title = serializers.CharField()

    class Meta:
        model = Document
        fields = ("title", "document_file", "status")

    def validate_title(self, title: str) -> str | None:
        return self.require_unique("title", title, "Document with this Title already exists")

    def save(self, **kwargs: Any) -> Any:
        upload = self.validated_data.pop("document_file", None)
        kept = {"file_name": upload.name, "size_bytes": upload.size} if upload else {}
        return super().save(**kept, **kwargs)


class Documents(Entity):
    """Read by whoever it is shared with, changed by who uploaded it, and by administrators."""

    model = Document
    row = DocumentSerializer
    write = DocumentWriteSerializer
    label = "Document"
    relations = ("shared_to", "teams")

    def owned(self) -> Q:
        shared = Q(shared_to=self.profile) | Q(teams__in=self.profile.teams.all())
        return Q(created_by=self.profile.user) | shared

    def writable(self) -> Q:
        return Q(created_by=self.profile.user)

    def denied(self) -> APIException:
        return forbidden(DENIED)

    def custom(self, data: Any, record: Any = None) -> Body:
        return {}

    def relate(self, record: Any, names: tuple[str, ...], *, created: bool = False) -> None:
        for name in names:
            getattr(record, name).set(self._named(name, created=created))


class DocumentList(Documents, RecordList):
    filters = {
        "title": contains("title"),
        "status": exact("status"),
        "shared_to": lambda records, values, name: records.filter(shared_to__in=values),
    }

    def envelope(self, records: QuerySet[Any]) -> Body:
        sections = {
            f"documents_{status}": self.page(
                records.filter(status=status), f"documents_{status}", f"documents_{status}_count"
            )
            for status, _ in choices.DOCUMENT_STATUS
        }
        users = dropdowns.full_members(self.profile)
        return {"search": False, **sections, "users": users}

    def answer_created(self, record: Document) -> Response:
        """On purpose: the answer has no id."""
        return done("Document Created Successfully", 201)


class DocumentDetail(Documents, RecordDetail):
    http_method_names = ["get", "put", "patch", "delete", "head", "options"]

    def get(self, request: Request, pk: UUID) -> Response:
        shown = self.shown(self.to_read(pk))
        users = dropdowns.full_members(self.profile)
        return Response({"doc_obj": shown, "file_type_code": "fa fa-file", "users": users})

    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose: partial, but it ends every share that is not sent again."""
        return self.update(self.to_write(pk), request.data, self.relations, partial=True)

    def patch(self, request: Request, pk: UUID) -> Response:
        """On purpose: shares that are sent are ignored."""
        return self.update(self.to_write(pk), request.data, (), partial=True)


urlpatterns: list[Any] = [
    path("", DocumentList.as_view()),
    path("<uuid:pk>/", DocumentDetail.as_view()),
]
