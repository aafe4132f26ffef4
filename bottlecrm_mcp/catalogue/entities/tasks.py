"""BottleCRM's contract for tasks."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    ATTACHMENTS,
    BY_CREATION,
    BY_PEOPLE_AND_TAGS,
    COMMENTS,
    CUSTOM_FIELDS,
    WRITE,
    choice,
    date,
    many,
    note_actions,
    one,
    shown,
    text,
)
from bottlecrm_mcp.catalogue.model import (
    Access,
    Entity,
    Field,
    Kind,
    RestFilter,
    Section,
)

TASK_PARENT = "a task has at most one of account, opportunity, case and lead"
TASKS = Entity(
    name="tasks",
    singular="task",
    path="/api/tasks/",
    resource="tasks",
    model="tasks.Task",
    write_serializers=("tasks.serializer.TaskCreateSerializer",) * 2,
    sections=(Section("tasks", "tasks_count"),),
    detail_key="task_obj",
    label=(("title",),),
    columns=("title", "status", "priority", "due_date", "assigned_to"),
    fields=(
        text("title", 200, required=True),
        choice("status", choices.TASK_STATUS, required=True),
        choice("priority", choices.TASK_PRIORITY, required=True),
        date("due_date"),
        Field("description", Kind.TEXT, WRITE, listed=False),
        one("account", "accounts", note=TASK_PARENT),
        one("opportunity", "opportunities", note=TASK_PARENT),
        one("case", "cases", note=TASK_PARENT),
        one("lead", "leads", note=TASK_PARENT),
        many("assigned_to", "people"),
        many("teams", "teams", listed=False),
        many("tags", "tags"),
        many("contacts", "contacts", listed=False),
        Field(
            "custom_fields",
            Kind.OBJECT,
            WRITE,
            listed=False,
            note=CUSTOM_FIELDS.note,
        ),
        one("created_by", "users", access=Access.READ_ONLY, listed=False),
        shown("created_at", Kind.DATETIME),
    ),
    # Without it the list bundles every account and contact of the organisation.
    list_parameters={"slim": "true"},
    search_fields=("title",),
    rest_filters={
        "title__contains": RestFilter("title"),
        "status": RestFilter("status", repeats=True),
        "priority": RestFilter("priority"),
        "due_date__gte": RestFilter("due_date__gte"),
        "due_date__lte": RestFilter("due_date__lte"),
        "account": RestFilter("account"),
        "opportunity": RestFilter("opportunity"),
        "case": RestFilter("case"),
        "lead": RestFilter("lead"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    exclusive=("account", "opportunity", "case", "lead"),
    actions=note_actions("tasks"),
    includes=(COMMENTS, ATTACHMENTS),
    identity=(("title",),),
    delete_consequence="delete the task with its comments and attachments",
    custom_fields="Task",
)
