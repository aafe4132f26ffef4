"""Cases: serializers, views and URLs."""

from copy import copy
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import include, path
from django.utils import timezone
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm import choices
from demo_crm.answers import done
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, record_urls
from demo_crm.entities.organisation import dropdowns
from demo_crm.entities.rows import (
    CaseSerializer,
    ContactSerializer,
    SolutionSerializer,
)
from demo_crm.entities.service import solutions
from demo_crm.filters import any_of, any_related, contains, exact, instants, related
from demo_crm.models import Case, Comment
from demo_crm.serializers import CommentSerializer, WriteSerializer, names
from demo_crm.services import activities
from demo_crm.services.approvals import unapproved
from demo_crm.services.case_tree import refusal_to_link
from demo_crm.services.mail import mail


class CaseWriteSerializer(WriteSerializer):
    class Meta:
        model = Case
        fields = names(
            "name status priority case_type closed_on description is_active account org",
            "custom_fields parent is_problem",
        )
        read_only_fields = ("org",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # On purpose: a case keeps the account it was made with, and a change of it is not refused.
        self.fields["account"].read_only = self.instance is not None

    def validate_name(self, name: str) -> str | None:
        return self.require_unique("name", name, "Case already exists with this name")

    def validate(self, attrs: Body) -> Body:
        if parent := attrs.get("parent"):
            status = attrs.get("status", "")
            if refusal := refusal_to_link(parent, self.instance, status):
                raise ValidationError({"parent": [refusal]})
        was_closed = getattr(self.instance, "status", "") == "Closed"
        if attrs.get("status") == "Closed" and not was_closed:
            self._check_closing(attrs)
        return attrs

    def _check_closing(self, attrs: Body) -> None:
        if not self.resulting(attrs, "closed_on"):
            raise ValidationError({"closed_on": ["Closed date is required when closing a case"]})
        # On purpose: a case that is closed from the start needs no approval.
        if self.instance is None:
            return
        changed = copy(self.instance)
        changed.priority = self.resulting(attrs, "priority")
        changed.case_type = self.resulting(attrs, "case_type")
        if rule := unapproved(changed):
            refusal = f"An approval is required before this case can be closed (rule: {rule.name})."
            raise ValidationError({"status": [refusal]})


class Cases(Entity):
    model = Case
    row = CaseSerializer
    write = CaseWriteSerializer
    label = "Case"
    object_key = "cases_obj"
    relations = ("contacts", "teams", "assigned_to", "tags")

    def owned(self) -> Q:
        return self.writable() | Q(watchers=self.profile)

    def writable(self) -> Q:
        return Q(created_by=self.profile.user) | Q(assigned_to=self.profile)

    def deletion_denied(self) -> APIException:
        return self.denied()


class CaseList(Cases, RecordList):
    order = ("-created_at",)
    filters = {
        "search": contains("name", "description"),
        "name": contains("name"),
        "status": any_of("status"),
        "priority": exact("priority"),
        "account": related("account"),
        "case_type": exact("case_type"),
        "assigned_to": any_related("assigned_to"),
        "tags": any_related("tags"),
        **instants("created_at"),
    }

    def visible(self) -> QuerySet[Any]:
        params, cases = self.request.query_params, super().visible()
        if params.get("show_merged") != "true":
            cases = cases.filter(merged_into=None).exclude(status="Duplicate")
        if params.get("include_deleted") == "true" and self.profile.is_admin:
            return cases
        return cases.filter(is_active=True)

    def ordering(self) -> tuple[str, ...]:
        wanted = self.request.query_params.get("ordering", "")
        known = wanted.removeprefix("-") in ("created_at", "priority", "id", "name")
        return (wanted,) if known else self.order

    def envelope(self, records: QuerySet[Any]) -> Body:
        visible = self.visible().exclude(status="Closed")
        return {
            "open_count": visible.distinct().count(),
            "urgent_count": visible.filter(priority="Urgent").distinct().count(),
            "awaiting_first_reply": 0,
            **self.page(records, "cases", "cases_count"),
            "status": choices.CASE_STATUS,
            "priority": choices.CASE_PRIORITY,
            "type_of_case": choices.CASE_TYPE,
            "users": dropdowns.members(self.profile),
            **dropdowns.whole_org(self.request),
        }

    def create(self, data: Any) -> Case:
        case: Case = super().create(data)
        activities.note(case, self.profile, "CREATE")
        return case

    def answer_created(self, record: Case) -> Response:
        shown = {self.object_key: self.shown(record)}
        return done(self.message(self.created), id=str(record.pk), **shown)


class CaseDetail(Cases, RecordDetail):
    def get(self, request: Request, pk: UUID) -> Response:
        case = self.find(pk)
        if case.merged_into_id and request.query_params.get("show_merged") != "true":
            return _merged(case)
        return super().get(request, pk)

    def bundle(self, record: Case) -> Body:
        return {
            "contacts": ContactSerializer.listed(record.contacts.all()),
            "solutions": SolutionSerializer(record.solutions.all(), many=True).data,
            "activities": activities.rows(record),
            "email_messages": [],
            "merged_from_cases": list(record.merged_from_cases.values("id", "name")),
            **super().bundle(record),
            "status": choices.CASE_STATUS,
            "priority": choices.CASE_PRIORITY,
            "type_of_case": choices.CASE_TYPE,
            "comment_permission": self.allows(record, self.writable()),
            "users_mention": dropdowns.mentionable(self.profile, record),
        }

    def notes(self, record: Case, **only: Any) -> Body:
        internal = Comment.objects.filter(**self.kept_with(record), is_internal=True)
        return {
            **super().notes(record, is_internal=False),
            "internal_notes": CommentSerializer(internal, many=True).data,
        }

    def to_comment(self, pk: UUID) -> Any:
        return self.to_write(pk)

    def add_comment(self, record: Case, **more: Any) -> Comment | None:
        internal = self.request.data.get("is_internal") in (True, "true", "True", "1")
        comment = super().add_comment(record, is_internal=internal)
        if comment is None:
            return None
        metadata = {"comment_id": str(comment.pk), "is_internal": internal}
        activities.note(record, self.profile, "COMMENT", **metadata)
        if not internal:
            unanswered = Case.objects.filter(pk=record.pk, first_response_at=None)
            unanswered.update(first_response_at=comment.commented_on)
        return comment

    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose: a type and a closing date that are left out count as emptied."""
        data = {"case_type": None, "closed_on": None, **self.request.data}
        return self.update(self.to_write(pk), data, self.relations)

    def update(self, record: Case, data: Any, *args: Any, **kwargs: Any) -> Response:
        before, state = record.status, activities.state(record)
        answer = super().update(record, data, *args, **kwargs)
        follow_status(record, before)
        activities.note_changes(record, self.profile, state)
        return answer


def follow_status(case: Case, before: str) -> None:
    if case.status == "Closed" and before != "Closed":
        case.resolved_at = timezone.now()
        case.save()
        ask_customer(case)
    elif before == "Closed" and case.status != "Closed":
        case.closed_on = case.resolved_at = None
        case.save()


def ask_customer(case: Case) -> None:
    subject = f"How did we do? {case.name}"
    body = "Your case was closed. Please tell us whether it was solved."
    # On purpose: of several contacts the oldest that has an address.
    contact = case.contacts.exclude(email=None).exclude(email="").order_by("created_at").first()
    mail(subject, body, [contact.email if contact else None])


def _merged(case: Case) -> Response:
    target = str(case.merged_into_id)
    source = {"source_case_id": str(case.pk), "source_case_name": case.name}
    return Response({"redirect_to": target, "merged_into": target, **source})


urlpatterns = [
    path("solutions/", include(solutions.urlpatterns)),
    *record_urls(CaseList, CaseDetail),
]
