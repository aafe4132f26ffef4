"""Tasks: serializers, views and URLs."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from demo_crm import choices
from demo_crm.answers import done
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, record_urls
from demo_crm.entities.organisation import dropdowns
from demo_crm.entities.rows import (
    TASK_PARENTS,
    TaskRowSerializer,
    TaskSerializer,
)
from demo_crm.filters import any_known, any_related, contains, days, exact, instants, related
from demo_crm.models import Task
from demo_crm.serializers import WriteSerializer, names


class TaskWriteSerializer(WriteSerializer):
    class Meta:
        model = Task
        fields = names(
            "id title status priority due_date description", TASK_PARENTS, "created_by created_at"
        )
        read_only_fields = ("id", "created_by", "created_at")

    def validate(self, attrs: Body) -> Body:
        parents = [name for name in TASK_PARENTS if self.resulting(attrs, name)]
        if len(parents) > 1:
            message = f"A task belongs to one record at most, and this has: {', '.join(parents)}."
            raise serializers.ValidationError({"account": [message]})
        return attrs


class Tasks(Entity):
    model = Task
    row: ClassVar[type[TaskRowSerializer]] = TaskSerializer
    write = TaskWriteSerializer
    label = "Task"
    object_key = "task_obj"
    relations = ("contacts", "teams", "assigned_to", "tags")
    unchecked_on_create = ("tags",)
    updated = "Task updated Successfully"
    deleted = "Task deleted Successfully"
    mails_assignees = False

    def deletion_denied(self) -> APIException:
        return self.denied()


class TaskList(Tasks, RecordList):
    row = TaskRowSerializer
    filters = {
        "search": contains("title"),
        "title": contains("title"),
        "status": any_known("status", choices.TASK_STATUS),
        "priority": exact("priority"),
        "assigned_to": any_related("assigned_to"),
        "tags": any_related("tags"),
        **{parent: related(parent) for parent in TASK_PARENTS},
        **days("due_date"),
        **instants("created_at"),
    }

    def envelope(self, records: QuerySet[Any]) -> Body:
        page = self.page(records, "tasks", "tasks_count")
        return {
            "totals": self._totals(records),
            **page,
            "status": choices.TASK_STATUS,
            "priority": choices.TASK_PRIORITY,
            "users": dropdowns.members(self.profile),
            **dropdowns.whole_org(self.request),
        }

    def _totals(self, records: QuerySet[Any]) -> Body:
        today = timezone.localdate()
        week = (today, today + timedelta(days=6 - today.weekday()))
        unfinished = ~Q(status="Completed")
        tasks = Task.objects.filter(pk__in=records.order_by().values("pk"))
        return tasks.aggregate(
            count=Count("pk"),
            open=Count("pk", filter=unfinished),
            overdue=Count("pk", filter=unfinished & Q(due_date__lt=today)),
            due_today=Count("pk", filter=unfinished & Q(due_date=today)),
            due_this_week=Count("pk", filter=unfinished & Q(due_date__range=week)),
            no_due_date=Count("pk", filter=unfinished & Q(due_date=None)),
            unassigned=Count("pk", filter=unfinished & Q(assigned_to=None)),
        )

    def answer_created(self, record: Task) -> Response:
        # On purpose: no id.
        return done(self.message(self.created))


class TaskDetail(Tasks, RecordDetail):
    def bundle(self, record: Task) -> Body:
        users = dropdowns.full_members(self.profile)
        return {
            "users_mention": dropdowns.mentionable(self.profile, record),
            "assigned_data": dropdowns.assigned(record, key="user__email"),
            **super().bundle(record),
            "users": users,
            "users_excluding_team": users,
            "teams": dropdowns.teams(),
        }


urlpatterns = record_urls(TaskList, TaskDetail)
