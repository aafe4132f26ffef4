from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm.answers import done, first_or_refuse, forbidden, not_found
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList
from demo_crm.filters import contains, exact, related, when
from demo_crm.serializers import Brief, ProfileSerializer, RowSerializer, WriteSerializer, names
from tests.whole_crm.models import SalesGoal

WRITABLE = names(
    "name goal_type target_value period_type period_start period_end assigned_to", "team is_active"
)


class SalesGoalSerializer(RowSerializer):
    prefetch = ("assigned_to__user", "team")

    assigned_to_detail = ProfileSerializer(source="assigned_to", read_only=True)
    team_detail = Brief("name", source="team")
    progress_value = serializers.FloatField(source="progress", read_only=True)
    progress_percent = serializers.IntegerField(read_only=True)
    status = serializers.CharField(read_only=True)

    class Meta:
        model = SalesGoal
        fields = names(
            "id",
            WRITABLE,
            "assigned_to_detail team_detail org created_at updated_at progress_value",
            "progress_percent status",
        )


class SalesGoalWriteSerializer(WriteSerializer):
    class Meta:
        model = SalesGoal
        fields = WRITABLE

    def validate_assigned_to(self, profile: Any) -> Any:
        if profile and profile.org_id != self.org.pk:  # type: ignore[union-attr]
            raise ValidationError("The assignee is no member of this organization.")
        return profile

    def validate(self, attrs: Body) -> Body:
        if self.resulting(attrs, "period_end") <= self.resulting(attrs, "period_start"):
            raise ValidationError({"period_end": ["The period ends before it starts."]})
        if self.resulting(attrs, "target_value") <= 0:
            raise ValidationError({"target_value": ["A target is more than nothing."]})
        return attrs


class Goals(Entity):
    """Made by administrators; others see their own and those of their teams."""

    model = SalesGoal
    row = SalesGoalSerializer
    write = SalesGoalWriteSerializer
    label = "Goal"
    relations = ()

    def owned(self) -> Q:
        return Q(assigned_to=self.profile) | Q(team__in=self.profile.teams.all())

    def find(self, pk: UUID) -> Any:
        return first_or_refuse(self.records().filter(pk=pk), not_found("Goal not found."))

    def denied(self) -> APIException:
        return forbidden("You do not have permission.")

    def require_admin(self, verb: str) -> None:
        if not self.profile.is_admin:
            raise forbidden(f"Only admins can {verb} goals.")


class GoalList(Goals, RecordList):
    order = ("-created_at",)

    def get(self, request: Request) -> Response:
        today = timezone.localdate()
        current = Q(period_start__lte=today, period_end__gte=today)
        self.filters = {  # type: ignore[misc]
            "active": when("true", Q(is_active=True)),
            "current": when("true", current),
            "assigned_to": related("assigned_to"),
            "team": related("team"),
            "period_type": exact("period_type"),
            "search": contains("name"),
        }
        return super().get(request)

    def envelope(self, records: QuerySet[Any]) -> Body:
        return {**self.page(records, "goals", "goals_count"), "per_page": 10}

    def post(self, request: Request) -> Response:
        """On purpose: the answer has no id."""
        self.require_admin("create")
        serializer = self.checked(request.data)
        serializer.save(org=self.profile.org, created_by=self.profile.user)
        return done("Goal Created Successfully", 201)


class GoalDetail(Goals, RecordDetail):
    # On purpose: no PATCH, and a PUT that is partial.
    http_method_names = ["get", "put", "delete", "head", "options"]

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.to_read(pk)))

    def put(self, request: Request, pk: UUID) -> Response:
        self.require_admin("update")
        self.checked(request.data, self.find(pk), partial=True).save()
        return done("Goal Updated Successfully")

    def delete(self, request: Request, pk: UUID) -> Response:
        self.require_admin("delete")
        self.find(pk).delete()
        return done("Goal Deleted Successfully")


urlpatterns: list[Any] = [path("", GoalList.as_view()), path("<uuid:pk>/", GoalDetail.as_view())]
