"""Solutions: serializers, views and URLs."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList
from demo_crm.entities.rows import SolutionSerializer
from demo_crm.filters import contains, exact
from demo_crm.models import Solution
from demo_crm.serializers import WriteSerializer


class SolutionDetailSerializer(SolutionSerializer):
    linked_cases = serializers.SerializerMethodField()

    class Meta(SolutionSerializer.Meta):
        fields = (*SolutionSerializer.Meta.fields, "linked_cases")

    def get_linked_cases(self, solution: Solution) -> list[Body]:
        visible = self.context.get("visible_cases", Q(pk=None))
        cases = solution.cases.filter(visible).distinct().order_by("-created_at")
        rows: Any = cases.values("id", "name", "status", "priority", "created_at")[:10]
        return list(rows)


class SolutionWriteSerializer(WriteSerializer):
    class Meta:
        model = Solution
        fields = ("title", "description", "status", "is_published")

    def validate(self, attrs: Body) -> Body:
        if not {"status", "is_published"} & attrs.keys():
            return attrs
        status = self.resulting(attrs, "status") or "draft"
        if self.resulting(attrs, "is_published") and status != "approved":
            raise ValidationError({"is_published": ["Only an approved solution is published."]})
        return attrs


class Solutions(Entity):
    """Read by everyone, changed by its author and by administrators; answers are bare objects."""

    model = Solution
    row: ClassVar[type[SolutionSerializer]] = SolutionDetailSerializer
    write = SolutionWriteSerializer
    label = "Solution"
    relations = ()

    def owned(self) -> Q:
        return Q()

    def writable(self) -> Q:
        return Q(created_by=self.profile.user)

    def invalid(self, errors: Any) -> APIException:
        return ValidationError(errors)

    def custom(self, data: Any, record: Any = None) -> Body:
        return {}

    def relate(self, record: Any, names: tuple[str, ...], *, created: bool = False) -> None:
        pass

    def shown(self, records: Any, **context: Any) -> Any:
        mine = Q(created_by=self.profile.user) | Q(assigned_to=self.profile)
        visible = Q() if self.profile.is_admin else mine
        return super().shown(records, visible_cases=visible, **context)

    def checked(self, data: Any, record: Any = None, *, partial: bool = False) -> WriteSerializer:
        if data.get("status") == "approved" or data.get("is_published"):
            self.require_admin()
        return super().checked(data, record, partial=partial)

    def require_admin(self) -> None:
        if not self.profile.is_admin:
            message = "Only an admin can approve or publish a knowledge-base article."
            raise PermissionDenied(message)


class SolutionList(Solutions, RecordList):
    row = SolutionSerializer
    order = ("-updated_at",)
    filters = {
        "search": contains("title", "description"),
        "status": exact("status"),
        # On purpose: whatever doesn't mean yes means no.
        "is_published": lambda records, values, name: records.filter(
            is_published=values[-1].lower() in ("true", "1", "yes", "on")
        ),
    }

    def envelope(self, records: QuerySet[Any]) -> Body:
        return {**self.linked_page(records), "totals": self._totals()}

    def _totals(self) -> Body:
        """On purpose: of all solutions, whatever the filters are."""
        return self.records().aggregate(
            count=Count("pk"),
            published=Count("pk", filter=Q(is_published=True)),
            draft=Count("pk", filter=Q(status="draft")),
            reviewed=Count("pk", filter=Q(status="reviewed")),
            approved_unpublished=Count("pk", filter=Q(status="approved", is_published=False)),
        )

    def answer_created(self, record: Solution) -> Response:
        return Response(self.shown(record), status=201)


class SolutionDetail(Solutions, RecordDetail):
    http_method_names = ["get", "put", "patch", "delete", "head", "options"]

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.find(pk)))

    def update(self, record: Any, data: Any, *args: Any, **kwargs: Any) -> Response:
        super().update(record, data, *args, **kwargs)
        return Response(self.shown(record))

    def deletion_denied(self) -> APIException:
        return self.denied()

    def delete(self, request: Request, pk: UUID) -> Response:
        super().delete(request, pk)
        return Response(status=204)


class SolutionPublication(Solutions, APIView):
    published = True

    def post(self, request: Request, pk: UUID) -> Response:
        solution = self.find(pk)
        self.require_admin()
        if self.published and solution.status != "approved":
            raise Refused(400, {"error": "Only an approved solution is published."})
        solution.is_published = self.published
        solution.updated_by = self.profile.user
        solution.save()
        return Response(self.shown(solution))


urlpatterns = [
    path("", SolutionList.as_view()),
    path("<uuid:pk>/", SolutionDetail.as_view()),
    path("<uuid:pk>/publish/", SolutionPublication.as_view()),
    path("<uuid:pk>/unpublish/", SolutionPublication.as_view(published=False)),
]
