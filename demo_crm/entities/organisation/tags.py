"""Tags: everybody reads them, administrators write them, and nobody deletes one for good."""

from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.text import slugify
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm.answers import done, invalid
from demo_crm.choices import TAG_COLOR
from demo_crm.entities.organisation.lookups import Member
from demo_crm.models import Tag
from demo_crm.serializers import TagSerializer

TAKEN = {"name": ["A tag with this name already exists."]}


class TagView(Member):
    @property
    def tags(self) -> QuerySet[Tag]:
        return Tag.objects.filter(org=self.profile.org)

    def find(self, pk: UUID) -> Tag:
        return get_object_or_404(self.tags, pk=pk)

    def name(self, data: Any) -> str:
        name: str = data.get("name", "").strip()
        if not name:
            raise invalid({"name": ["This field is required."]})
        return name

    def save(self, tag: Tag, data: Any) -> dict[str, Any]:
        """On purpose: a color that there is not is passed over."""
        if data.get("color") in dict(TAG_COLOR):
            tag.color = data["color"]
        tag.description = data.get("description", tag.description)
        tag.updated_by = self.profile.user
        tag.save()
        return dict(TagSerializer(tag).data)


class Tags(TagView):
    """On purpose: the list comes whole, whatever limit and offset say."""

    def get(self, request: Request) -> Response:
        tags = self.tags.order_by("name")
        totals = {"count": tags.count(), "active": tags.filter(is_active=True).count()}
        if request.query_params.get("include_archived", "").lower() != "true":
            tags = tags.filter(is_active=True)
        if name := request.query_params.get("name"):
            tags = tags.filter(name__icontains=name)
        rows = TagSerializer(tags, many=True).data
        return Response({"tags_count": len(rows), "tags": rows, "totals": totals})

    def post(self, request: Request) -> Response:
        self.require_admin("Only admins can create tags")
        name = self.name(request.data)
        tag = self.tags.filter(slug=slugify(name)).first()
        if tag is None:
            new = Tag(org=self.profile.org, name=name, created_by=self.profile.user)
            made = self.save(new, request.data)
            return done("Tag Created Successfully", status.HTTP_201_CREATED, tag=made)
        if tag.is_active:
            raise invalid(TAKEN)
        tag.is_active = True
        return done("Tag reactivated successfully", tag=self.save(tag, request.data))


class OneTag(TagView):
    def get(self, request: Request, pk: UUID) -> Response:
        return Response({"tag": TagSerializer(self.find(pk)).data})

    def put(self, request: Request, pk: UUID) -> Response:
        self.require_admin("Only admins can update tags")
        tag = self.find(pk)
        tag.name = self.name(request.data)
        if self.tags.filter(slug=slugify(tag.name)).exclude(pk=pk).exists():
            raise invalid(TAKEN)
        return done("Tag Updated Successfully", tag=self.save(tag, request.data))

    def delete(self, request: Request, pk: UUID) -> Response:
        self.require_admin("Only admins can archive tags")
        tag = self.find(pk)
        tag.is_active = False
        self.save(tag, {})
        return done("Tag archived successfully")


class Restore(TagView):
    def post(self, request: Request, pk: UUID) -> Response:
        self.require_admin("Only admins can restore tags")
        tag = self.find(pk)
        tag.is_active = True
        return done("Tag restored successfully", tag=self.save(tag, {}))


class Merge(TagView):
    def post(self, request: Request, pk: UUID) -> Response:
        self.require_admin("Only admins can merge tags")
        source, target = self.find(pk), self.find(self._into(request.data))
        if source == target:
            raise invalid({"into": ["A tag cannot merge into itself."]})
        if not target.is_active:
            raise invalid({"into": ["Restore that tag before merging records onto it."]})
        moved = sum(self._move(model, source, target) for model in _tagged_models())
        source.is_active = False
        self.save(source, {})
        shown = TagSerializer(target).data
        return done(f"Merged {source} into {target}.", tag=shown, moved=moved)

    def _into(self, data: Any) -> UUID:
        if not data.get("into"):
            raise invalid({"into": ["This field is required."]})
        return UUID(data["into"])

    def _move(self, model: Any, source: Tag, target: Tag) -> int:
        records = list(model.objects.filter(org=self.profile.org, tags=source))
        for record in records:
            record.tags.add(target)
            record.tags.remove(source)
        return len(records)


def _tagged_models() -> list[type[Model]]:
    return [model for model in apps.get_app_config("demo_crm").get_models() if _is_tagged(model)]


def _is_tagged(model: type[Model]) -> bool:
    return any(field.related_model is Tag for field in model._meta.many_to_many)


urlpatterns = [
    path("", Tags.as_view()),
    path("<uuid:pk>/", OneTag.as_view()),
    path("<uuid:pk>/restore/", Restore.as_view()),
    path("<uuid:pk>/merge/", Merge.as_view()),
]
