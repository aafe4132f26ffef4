"""Time entries: a person's timesheet, and changes of an entry."""

from datetime import date, timedelta
from uuid import UUID

from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm.answers import Refused
from demo_crm.entities.base import Body
from demo_crm.entities.service import time_entries
from demo_crm.entities.service.time_entries import TimeEntrySerializer, TimeEntryWriteSerializer
from demo_crm.ids import one_id
from demo_crm.models import TimeEntry


class Timesheet(time_entries.Times):
    """One person's entries, by day.

    On purpose: a `start` without an `end` is ignored, and the week is the current one.
    """

    def get(self, request: Request) -> Response:
        start, end = self._days(request)
        own = str(self.profile.pk)
        profile = one_id(request.query_params.get("profile") or own, "profile")
        if profile != own and not self.profile.is_admin:
            raise Refused(403, {"detail": "Only admins can view another profile's timesheet."})
        entries = TimeEntry.objects.filter(
            org=self.profile.org, profile=profile, started_at__date__range=(start, end)
        )
        days: dict[date, list[Body]] = {
            start + timedelta(days=after): [] for after in range((end - start).days + 1)
        }
        for entry in entries.select_related("case", "invoice", "profile__user").order_by(
            "started_at"
        ):
            days[timezone.localdate(entry.started_at)].append(self._shown(entry))
        shown = [{"date": day.isoformat(), "entries": rows} for day, rows in days.items()]
        return Response({"profile_id": profile, "start": start, "end": end, "days": shown})

    def _days(self, request: Request) -> tuple[date, date]:
        try:
            given = [request.query_params.get(name) for name in ("start", "end")]
            start, end = (date.fromisoformat(each) if each else None for each in given)
        except ValueError as error:
            raise Refused(400, {"detail": str(error)}) from error
        if start is None or end is None:
            today = timezone.localdate()
            start = today - timedelta(days=today.weekday())
            end = start + timedelta(days=6)
        if end < start:
            raise Refused(400, {"detail": "end must be on or after start."})
        return start, end

    def _shown(self, entry: TimeEntry) -> Body:
        invoice = entry.invoice
        return {
            **TimeEntrySerializer(entry).data,
            "case": {"id": str(entry.case_id), "name": entry.case.name},
            "invoice": invoice
            and {"id": str(invoice.pk), "invoice_number": invoice.invoice_number},
            "is_running": entry.ended_at is None,
        }


class TimeEntryDetail(time_entries.TimeEntryDetail):
    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose partial."""
        entry = self.own(pk, "edit")
        serializer = TimeEntryWriteSerializer(entry, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        return Response(TimeEntrySerializer(serializer.save()).data)


urlpatterns = [
    path("timesheet/", Timesheet.as_view()),
    path("<uuid:pk>/", TimeEntryDetail.as_view()),
]
