"""Base of the entities: what BottleCRM does alike for every kind of record."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import done, forbidden, invalid
from demo_crm.filters import Filter, apply_filters
from demo_crm.ids import id_list
from demo_crm.models import Attachment, Comment, Profile
from demo_crm.serializers import (
    AttachmentSerializer,
    CommentSerializer,
    CustomFieldSerializer,
    LeadCommentSerializer,
    RowSerializer,
    WriteSerializer,
)
from demo_crm.services import custom_fields
from demo_crm.services.mail import mail

Body = dict[str, Any]
LARGEST_FILE = 25 * 1024 * 1024


class Entity:
    """One kind of record: its model, its serializers, and who may see or change it."""

    # Of the view that this is mixed into; it carries the profile and the organisation.
    request: Any
    model: ClassVar[type[Model]]
    row: ClassVar[type[RowSerializer]]
    write: ClassVar[type[WriteSerializer]]
    comment_row: ClassVar[type[LeadCommentSerializer]] = CommentSerializer
    label: ClassVar[str]
    object_key: ClassVar[str]
    relations: ClassVar[tuple[str, ...]] = ("assigned_to", "teams", "tags", "contacts")
    # On purpose: ids that a create takes unchecked, so that a malformed one is a server error.
    unchecked_on_create: ClassVar[tuple[str, ...]] = ()
    mails_assignees: ClassVar[bool] = True
    # On purpose: where they are not, one that is too long is a server error.
    comments_are_checked: ClassVar[bool] = False
    created: ClassVar[str] = "{label} Created Successfully"
    updated: ClassVar[str] = "{label} Updated Successfully"
    deleted: ClassVar[str] = "{label} Deleted Successfully."
    not_deletable: ClassVar[str] = "You do not have Permission to perform this action"

    @property
    def profile(self) -> Profile:
        profile: Profile = self.request.profile
        return profile

    def owned(self) -> Q:
        """The role rule for everyone but administrators, who see all of their organisation."""
        return Q(created_by=self.profile.user) | Q(assigned_to=self.profile)

    def readable(self) -> Q:
        return self.owned()

    def writable(self) -> Q:
        return self.owned()

    def records(self) -> QuerySet[Any]:
        return self.model._default_manager.filter(org=self.profile.org)

    def visible(self) -> QuerySet[Any]:
        return self.records() if self.profile.is_admin else self.records().filter(self.owned())

    def find(self, pk: UUID) -> Any:
        return get_object_or_404(self.records(), pk=pk)

    def allows(self, record: Model, rule: Q) -> bool:
        return self.profile.is_admin or self.records().filter(rule, pk=record.pk).exists()

    def to_read(self, pk: UUID) -> Any:
        return self._opened(pk, self.readable())

    def to_write(self, pk: UUID) -> Any:
        return self._opened(pk, self.writable())

    def denied(self) -> APIException:
        return PermissionDenied("You do not have permission to perform this action")

    def _opened(self, pk: UUID, rule: Q) -> Any:
        record = self.find(pk)
        if not self.allows(record, rule):
            raise self.denied()
        return record

    def shown(self, records: Any, **context: Any) -> Any:
        many = not isinstance(records, Model)
        return self.row(records, many=many, context={"request": self.request, **context}).data

    def invalid(self, errors: Any) -> APIException:
        return invalid(errors)

    def checked(self, data: Any, record: Any = None, *, partial: bool = False) -> WriteSerializer:
        serializer = self.write(record, data=data, partial=partial, request_obj=self.request)
        if not serializer.is_valid():
            raise self.invalid(serializer.errors)
        return serializer

    def custom(self, data: Any, record: Any = None) -> Body:
        """The custom fields to save, when there are any to save."""
        if record is not None and "custom_fields" not in data:
            return {}
        stored = record.custom_fields if record is not None else {}
        name = self.model.__name__
        return {"custom_fields": custom_fields.cleaned(name, data.get("custom_fields"), stored)}

    def definitions(self) -> Any:
        kind = custom_fields.definitions(self.model.__name__)
        return CustomFieldSerializer(kind, many=True).data

    def relate(self, record: Any, names: tuple[str, ...], *, created: bool = False) -> None:
        """Set the many-to-many fields.

        On purpose, each of these as BottleCRM does it: the scalars are already saved, the field
        is emptied before its ids are looked at, and unknown ids are left out without a word.
        """
        before = set(record.assigned_to.all())
        for name in names:
            related = getattr(record, name)
            if not created:
                related.clear()
            related.add(*self._named(name, created=created))
        if self.mails_assignees:
            added = [profile for profile in record.assigned_to.all() if profile not in before]
            subject = f"{self.label} assigned to you: {record}"
            mail(subject, subject, (profile.user.email for profile in added))

    def _named(self, name: str, *, created: bool) -> QuerySet[Any]:
        value = self.request.data.get(name) or []
        unchecked = created and name in self.unchecked_on_create
        ids = value if unchecked else id_list(value, name)
        related: Any = self.model._meta.get_field(name).related_model
        found: QuerySet[Any] = related.objects.filter(org=self.profile.org, pk__in=ids)
        return found

    def message(self, text: str) -> str:
        return text.format(label=self.label)


class RecordList(Entity, APIView, LimitOffsetPagination):
    filters: ClassVar[dict[str, Filter]] = {}
    order: ClassVar[tuple[str, ...]] = ("-id",)

    def get(self, request: Request) -> Response:
        records = apply_filters(self.visible(), self.filters, request.query_params)
        records = records.prefetch_related(*self.row.prefetch).order_by(*self.ordering()).distinct()
        return Response(self.envelope(records))

    def ordering(self) -> tuple[str, ...]:
        return self.order

    def envelope(self, records: QuerySet[Any]) -> Body:
        raise NotImplementedError

    def page(self, records: QuerySet[Any], rows: str, count: str) -> Body:
        page = self.paginate_queryset(records, self.request, view=self)
        return {count: self.count, "offset": self.offset, rows: self.shown(page)}

    def page_numbers(self) -> Body:
        """On purpose: the page size never follows `limit`."""
        return {"per_page": 10, "page_number": self.get_offset(self.request) // 10 + 1}

    def linked_page(self, records: QuerySet[Any]) -> Body:
        page = self.paginate_queryset(records, self.request, view=self)
        links = {"next": self.get_next_link(), "previous": self.get_previous_link()}
        return {"count": self.count, **links, "results": self.shown(page)}

    def post(self, request: Request) -> Response:
        return self.answer_created(self.create(self.request.data))

    def create(self, data: Any) -> Any:
        serializer = self.checked(data)
        user = self.profile.user
        record = serializer.save(
            org=self.profile.org, created_by=user, updated_by=user, **self.custom(data)
        )
        self.relate(record, self.relations, created=True)
        return record

    def answer_created(self, record: Any) -> Response:
        return done(self.message(self.created), id=str(record.pk))


class RecordDetail(Entity, APIView):
    def get(self, request: Request, pk: UUID) -> Response:
        record = self.to_read(pk)
        return Response({**self.with_notes(record), **self.bundle(record)})

    def bundle(self, record: Any) -> Body:
        return {"custom_field_definitions": self.definitions()}

    def post(self, request: Request, pk: UUID) -> Response:
        """A comment and a file; with neither, nothing happens."""
        record = self.to_comment(pk)
        self.add_comment(record)
        self.add_attachment(record, f"{self.model._meta.model_name}_attachment")
        return Response(self.with_notes(record))

    def to_comment(self, pk: UUID) -> Any:
        return self.to_read(pk)

    def add_comment(self, record: Any, **more: Any) -> Comment | None:
        text = self.request.data.get("comment")
        if not text:
            return None
        if self.comments_are_checked:
            _require_comment(text)
        return Comment.objects.create(
            comment=text, commented_by=self.profile, **self.kept_with(record), **more
        )

    def add_attachment(self, record: Any, key: str) -> Attachment | None:
        upload = self.request.FILES.get(key)
        if not upload:
            return None
        if upload.size > LARGEST_FILE:
            raise ValidationError({"attachment": "Files must be 25 MB or smaller."})
        return Attachment.objects.create(
            file_name=upload.name,
            attachment=upload,
            created_by=self.profile.user,
            **self.kept_with(record),
        )

    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose: scalars that are left out stay, relations that are left out are emptied."""
        return self.update(self.to_write(pk), self.request.data, self.relations)

    def patch(self, request: Request, pk: UUID) -> Response:
        sent = tuple(name for name in self.relations if name in self.request.data)
        return self.update(self.to_write(pk), self.request.data, sent, partial=True)

    def update(
        self, record: Any, data: Any, relations: tuple[str, ...], *, partial: bool = False
    ) -> Response:
        serializer = self.checked(data, record, partial=partial)
        record = serializer.save(updated_by=self.profile.user, **self.custom(data, record))
        self.relate(record, relations)
        return done(self.message(self.updated))

    def delete(self, request: Request, pk: UUID) -> Response:
        """An assignee may change a record, only its creator and administrators delete it."""
        record = self.find(pk)
        if not (self.profile.is_admin or record.created_by_id == self.profile.user_id):
            raise self.deletion_denied()
        record.delete()
        return done(self.message(self.deleted))

    def deletion_denied(self) -> APIException:
        return forbidden(self.not_deletable)

    def kept_with(self, record: Any) -> Body:
        kind = ContentType.objects.get_for_model(record)
        return {"content_type": kind, "object_id": record.pk, "org": self.profile.org}

    def with_notes(self, record: Any) -> Body:
        return {self.object_key: self.shown(record), **self.notes(record)}

    def notes(self, record: Any, **only: Any) -> Body:
        kept = self.kept_with(record)
        comments = Comment.objects.filter(**kept, **only).order_by("-id")
        attachments = Attachment.objects.filter(**kept).order_by("-id")
        return {
            "attachments": AttachmentSerializer(attachments, many=True).data,
            "comments": self.comment_row(comments, many=True).data,
        }


def _require_comment(text: Any) -> None:
    serializer = CommentSerializer(data={"comment": text})
    if not serializer.is_valid():
        raise invalid(serializer.errors)


class NoteDetail(APIView):
    """Something kept with a record, which its author and administrators may change."""

    def found(self, model: type[Any], pk: UUID, author: str) -> Any:
        note = get_object_or_404(model, pk=pk)
        profile = self.request.profile  # type: ignore[attr-defined]
        if not profile.is_admin and getattr(note, author) not in (profile, profile.user):
            raise forbidden("You don't have permission to perform this action")
        return note


class CommentDetail(NoteDetail):
    def put(self, request: Request, pk: UUID, *, partial: bool = False) -> Response:
        comment = self.found(Comment, pk, "commented_by")
        serializer = CommentSerializer(comment, data=self.request.data, partial=partial)
        if not serializer.is_valid():
            raise invalid(serializer.errors)
        serializer.save()
        return done("Comment Updated" if partial else "Comment Submitted")

    def patch(self, request: Request, pk: UUID) -> Response:
        return self.put(request, pk, partial=True)

    def delete(self, request: Request, pk: UUID) -> Response:
        self.found(Comment, pk, "commented_by").delete()
        return done("Comment Deleted Successfully")


class AttachmentDetail(NoteDetail):
    def delete(self, request: Request, pk: UUID) -> Response:
        self.found(Attachment, pk, "created_by").delete()
        return done("Attachment Deleted Successfully")


def record_urls(listing: type[APIView], detail: type[APIView]) -> list[URLPattern]:
    return [
        path("", listing.as_view()),
        path("<uuid:pk>/", detail.as_view()),
        path("comment/<uuid:pk>/", CommentDetail.as_view()),
        path("attachment/<uuid:pk>/", AttachmentDetail.as_view()),
    ]
