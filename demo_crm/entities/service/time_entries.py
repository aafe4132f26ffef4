"""Time entries: serializers, views and URLs."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import Refused, first_or_refuse
from demo_crm.entities.base import Body, Entity
from demo_crm.models import Case, TimeEntry
from demo_crm.serializers import Constant, ProfileSerializer, names
from demo_crm.services.time_summary import time_summary

WRITABLE = ("started_at", "ended_at", "description", "billable", "hourly_rate", "currency")


class TimeEntrySerializer(serializers.ModelSerializer[TimeEntry]):
    profile = ProfileSerializer(read_only=True)
    auto_stopped = Constant(False)

    class Meta:
        model = TimeEntry
        fields = names(
            "id case profile started_at ended_at duration_minutes description billable",
            "hourly_rate currency invoice auto_stopped created_at updated_at",
        )


class TimeEntryWriteSerializer(serializers.ModelSerializer[TimeEntry]):
    class Meta:
        model = TimeEntry
        fields = WRITABLE

    def validate_description(self, description: str) -> str:
        if not description.strip():
            raise ValidationError("Say what the time was spent on.")
        return description.strip()

    def validate_hourly_rate(self, rate: Any) -> Any:
        if rate is not None and rate < 0:
            raise ValidationError("A rate is not less than zero.")
        return rate

    def validate(self, attrs: Body) -> Body:
        stored = self.instance
        started = attrs.get("started_at", getattr(stored, "started_at", None))
        ended = attrs.get("ended_at", getattr(stored, "ended_at", None))
        if started and ended and ended < started:
            raise ValidationError({"ended_at": ["It ended before it started."]})
        return attrs


class Times(Entity, APIView):
    """Of a case of the organisation.

    On purpose, nobody asks whether the caller may see that case: whoever knows its id reads its
    summary and logs time on it. A USER is listed their own entries only.
    """

    model = Case

    def entries(self) -> QuerySet[TimeEntry]:
        own = Q() if self.profile.is_admin else Q(profile=self.profile)
        return TimeEntry.objects.filter(own, org=self.profile.org)

    def own(self, pk: UUID, verb: str) -> TimeEntry:
        entry = first_or_refuse(
            TimeEntry.objects.filter(pk=pk, org=self.profile.org),
            Refused(404, {"detail": "Not found."}),
        )
        if not self.profile.is_admin and entry.profile_id != self.profile.pk:
            raise Refused(403, {"detail": f"Not authorized to {verb} this entry."})
        return entry


class CaseTimes(Times):
    def get(self, request: Request, pk: UUID) -> Response:
        entries = self.entries().filter(case=self.find(pk)).select_related("profile__user")
        rows = TimeEntrySerializer(entries.order_by("-started_at"), many=True).data
        return Response(rows)

    def post(self, request: Request, pk: UUID) -> Response:
        """Without an end it runs on, as a timer does."""
        case = self.find(pk)
        serializer = TimeEntryWriteSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            with transaction.atomic():
                entry = serializer.save(case=case, profile=self.profile, org=case.org)
        except IntegrityError as error:
            raise Refused(400, {"detail": str(error).splitlines()[0]}) from error
        return Response(TimeEntrySerializer(entry).data, status=201)


class CaseTimer(Times):
    def post(self, request: Request, pk: UUID) -> Response:
        case = self.find(pk)
        running = TimeEntry.objects.filter(profile=self.profile, ended_at__isnull=True).first()
        if running:
            body = {
                "detail": "You already have a running timer.",
                "running_entry_id": str(running.pk),
                "running_case_id": str(running.case_id),
            }
            raise Refused(409, body)
        entry = TimeEntry.objects.create(
            case=case,
            profile=self.profile,
            org=case.org,
            started_at=timezone.now(),
            description=(self.request.data.get("description") or "").strip(),
            billable=bool(self.request.data.get("billable", False)),
        )
        return Response(TimeEntrySerializer(entry).data, status=201)


class CaseTimeSummary(Times):
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(time_summary(self.find(pk)))


class TimerStop(Times):
    def post(self, request: Request, pk: UUID) -> Response:
        entry = self.own(pk, "stop")
        if entry.ended_at:
            raise Refused(400, {"detail": "Timer is already stopped."})
        entry.ended_at = timezone.now()
        entry.save()
        return Response(TimeEntrySerializer(entry).data)


class TimeEntryDetail(Times):
    def delete(self, request: Request, pk: UUID) -> Response:
        entry = self.own(pk, "delete")
        if entry.invoice_id:
            raise Refused(400, {"detail": "Cannot delete an entry that has been invoiced."})
        entry.delete()
        return Response(status=204)


case_urls = [
    path("<uuid:pk>/time-entries/", CaseTimes.as_view()),
    path("<uuid:pk>/time-entries/start/", CaseTimer.as_view()),
    path("<uuid:pk>/time-summary/", CaseTimeSummary.as_view()),
]
urlpatterns = [
    path("<uuid:pk>/", TimeEntryDetail.as_view()),
    path("<uuid:pk>/stop/", TimerStop.as_view()),
]
