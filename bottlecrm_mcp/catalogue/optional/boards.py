"""BottleCRM's contract for boards: columns of cards, apart from the tasks of other records.

A board is seen by its owner and members alone; being an administrator opens none. Cards are no
records of their own to the API, which reads them with their columns. Assignees that are sent with
a new card end in a server error, so they are set afterwards. Columns are never changed or deleted,
and members never added, through the API.
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    UPDATED,
    WRITE,
    boolean,
    one,
    parameter,
    part,
    shown,
    text,
)
from bottlecrm_mcp.catalogue.model import (
    Access,
    Action,
    Effect,
    Entity,
    Field,
    Included,
    Kind,
    RestFilter,
    Section,
)

COLUMN_KEYS = ("id", "name", "order", "color", "limit", "task_count")
CARD_KEYS = (
    "id",
    "title",
    "column",
    "order",
    "priority",
    "due_date",
    "assigned_to",
    "description",
    "is_completed",
)
CARD = (
    parameter("description"),
    parameter("priority", Kind.CHOICE, values=choices.CARD_PRIORITY),
    parameter("due_date", Kind.DATETIME),
)
CARD_PATH = "/api/boards/tasks/{task_id}/"
ORDER = parameter("order", Kind.INTEGER, note="its place in the column, from 0")
BOARDS = Entity(
    name="boards",
    singular="board",
    path="/api/boards/",
    web_path="/tasks/board?board={id}",
    resource="boards",
    model="tasks.Board",
    write_serializers=("tasks.serializer.BoardSerializer",) * 2,
    sections=(Section("results", "count"),),
    label=(("name",),),
    columns=("name", "owner", "is_archived", "updated_at"),
    fields=(
        text("name", 255, required=True),
        text("description"),
        boolean("is_archived"),
        one("owner", "people", access=Access.READ_ONLY),
        shown("created_at", Kind.DATETIME),
        UPDATED,
    ),
    search_fields=("name",),
    rest_filters={"is_archived": RestFilter("archived")},
    newest_first=True,
    hidden_note="Only boards that you own or are a member of are listed.",
    actions=(
        Action(
            "add_column",
            "Add a column; the CRM can't change or delete one later.",
            "POST",
            "/api/boards/{id}/columns/",
            params=(
                parameter("name", required=True, max_length=100),
                parameter("order", Kind.INTEGER, note="the first columns are 1, 2 and 3"),
            ),
            effects=(Effect.IRREVERSIBLE,),
            consequence="add the column for good",
            returns=COLUMN_KEYS,
            adds="columns",
        ),
        Action(
            "add_task",
            "Add a task to a column; assign it with update_task.",
            "POST",
            "/api/boards/columns/{column_id}/tasks/",
            params=(
                part("column_id", "columns"),
                parameter("title", required=True, max_length=255),
                *CARD,
            ),
            returns=CARD_KEYS,
            adds="tasks",
            way_back="crm_action delete_task",
        ),
        Action(
            "update_task",
            "Change a task of this board.",
            "PUT",
            CARD_PATH,
            params=(
                part("task_id", "tasks"),
                parameter("title", max_length=255),
                *CARD,
                Field(
                    "assigned_to",
                    Kind.RELATIONS,
                    WRITE,
                    to="people",
                    write_name="assigned_to_ids",
                ),
            ),
            returns=CARD_KEYS,
            way_back="crm_action update_task with what it had",
        ),
        Action(
            "move_task",
            "Move a task to a column of this board.",
            "PUT",
            CARD_PATH,
            params=(part("task_id", "tasks"), part("column", "columns"), ORDER),
            returns=CARD_KEYS,
            way_back="crm_action move_task to the column that it was in",
        ),
        Action(
            "delete_task",
            "Delete a task of this board.",
            "DELETE",
            CARD_PATH,
            params=(part("task_id", "tasks"),),
            effects=(Effect.DELETES,),
            consequence="delete the task",
        ),
    ),
    includes=(
        Included(
            "columns",
            "columns of the board",
            keys=COLUMN_KEYS,
            path="/api/boards/{id}/columns/",
        ),
        Included(
            "tasks",
            "tasks of the board, column by column",
            "tasks",
            CARD_KEYS,
            path="/api/boards/{id}/columns/",
        ),
        Included("members", "members of the board", "members", ("profile", "role")),
    ),
    identity=(("name",),),
    delete_consequence="delete the board with its columns and their tasks",
    no_comments="BottleCRM keeps no comments on boards; a task has a description.",
)
