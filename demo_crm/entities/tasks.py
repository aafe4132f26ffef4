from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from demo_crm import choices
from demo_crm.answers import done
from demo_crm.entities import dropdowns
from demo_crm.entities.accounts import Accounts, AccountSerializer
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, RecordMove, record_urls
from demo_crm.entities.contacts import Contacts, ContactSerializer
from demo_crm.filters import any_known, any_related, contains, days, exact, instants, related
from demo_crm.models import Account, Contact, Task
from demo_crm.serializers import (
    Brief,
    ProfileSerializer,
    TagSerializer,
    TeamSerializer,
    UserSerializer,
    WriteSerializer,
)

PARENTS = ("account", "opportunity", "case", "lead")


class TaskRowSerializer(serializers.ModelSerializer[Task]):
    account = Brief("name")
    opportunity = Brief("name")
    case = Brief("name")
    lead = serializers.SerializerMethodField()
    assigned_to = ProfileSerializer(many=True, read_only=True)
    tags = TagSerializer(many=True, read_only=True)

    class Meta:
        model = Task
        fields: tuple[str, ...] = (
            "id",
            "title",
            "status",
            "priority",
            "due_date",
            *PARENTS,
            "assigned_to",
            "tags",
            "created_at",
        )

    def get_lead(self, task: Task) -> Body | None:
        lead = task.lead
        if lead is None:
            return None
        name = f"{lead.first_name or ''} {lead.last_name or ''}".strip()
        return {"id": str(lead.pk), "name": name or lead.email or ""}


class TaskSerializer(TaskRowSerializer):
    created_by = UserSerializer(read_only=True)
    contacts = ContactSerializer(many=True, read_only=True)
    teams = TeamSerializer(many=True, read_only=True)

    class Meta(TaskRowSerializer.Meta):
        fields = (
            *TaskRowSerializer.Meta.fields,
            "description",
            "created_by",
            "contacts",
            "teams",
            "custom_fields",
        )


class TaskWriteSerializer(WriteSerializer):
    class Meta:
        model = Task
        fields = (
            "id",
            "title",
            "status",
            "priority",
            "due_date",
            "description",
            *PARENTS,
            "created_by",
            "created_at",
        )
        read_only_fields = ("id", "created_by", "created_at")

    def validate(self, attrs: Body) -> Body:
        parents = [name for name in PARENTS if self.resulting(attrs, name)]
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
    prefetch = ("assigned_to__user", "tags", *PARENTS)
    filters = {
        "search": contains("title"),
        "title": contains("title"),
        "status": any_known("status", choices.TASK_STATUS),
        "priority": exact("priority"),
        "assigned_to": any_related("assigned_to"),
        "tags": any_related("tags"),
        **{parent: related(parent) for parent in PARENTS},
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
            **self._whole_org(),
        }

    def _whole_org(self) -> Body:
        """On purpose: all accounts and contacts, also to those who may not see them."""
        if self.request.query_params.get("slim") == "true":
            return {}
        accounts = Account.objects.prefetch_related(*Accounts.prefetch)
        contacts = Contact.objects.prefetch_related(*Contacts.prefetch)
        return {
            "accounts_list": AccountSerializer(accounts, many=True).data,
            "contacts_list": ContactSerializer(contacts, many=True).data,
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


class TaskMove(Tasks, RecordMove):
    pass


urlpatterns = record_urls(TaskList, TaskDetail, TaskMove)
