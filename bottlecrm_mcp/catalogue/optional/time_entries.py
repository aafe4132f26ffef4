"""BottleCRM's contract for time entries: a person's timesheet.

Entries are made under a case and changed by a path of their own, which has no GET: they are read
from the timesheet, which has no end and is one person's. Making one checks no access to the case;
here the case is looked up as the caller first. An entry that was invoiced is not deleted, but it
can still be changed.
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    CREATE,
    UPDATED,
    WRITE,
    boolean,
    choice,
    one,
    shown,
)
from bottlecrm_mcp.catalogue.model import (
    Access,
    Action,
    Entity,
    Field,
    Kind,
    Section,
    State,
    Window,
)

TIME_ENTRIES = Entity(
    name="time_entries",
    singular="time entry",
    path="/api/time-entries/timesheet/",
    resource="time-entries",
    create_path="/api/cases/{case}/time-entries/",
    write_path="/api/time-entries/",
    model="cases.TimeEntry",
    write_serializers=(
        "cases.serializer.TimeEntryCreateSerializer",
        "cases.serializer.TimeEntryUpdateSerializer",
    ),
    sections=(Section("days.entries"),),
    paged=False,
    window=Window("started_at", "start", "end", days=366, most_days=1_100, whose="profile"),
    has_detail=False,
    update_method="PUT",
    label=(("description",),),
    columns=("case", "started_at", "duration_minutes", "description", "billable"),
    fields=(
        one(
            "case",
            "cases",
            access=CREATE,
            required=True,
            note="an entry stays with the case that it was made for",
        ),
        Field("started_at", Kind.DATETIME, WRITE, required=True),
        Field(
            "ended_at", Kind.DATETIME, WRITE, note="empty while the timer runs", after="started_at"
        ),
        Field("description", Kind.TEXT, WRITE, required=True),
        boolean("billable"),
        Field("hourly_rate", Kind.DECIMAL, WRITE),
        choice("currency", choices.CURRENCY),
        one("profile", "people", access=Access.READ_ONLY),
        shown("duration_minutes", Kind.INTEGER),
        one("invoice", "invoices", access=Access.READ_ONLY),
        shown("created_at", Kind.DATETIME),
        UPDATED,
    ),
    search_fields=("description",),
    hidden_note="Only your own time of the last year is listed, unless filters on started_at and, "
    "for administrators, profile say otherwise.",
    actions=(
        Action(
            "stop",
            "Stop the running timer; start_timer of cases starts one.",
            "POST",
            "/api/time-entries/{id}/stop/",
            not_when=(State("ended_at"),),
            state={"ended_at": None},
        ),
    ),
    delete_consequence="delete the time entry",
    no_comments="BottleCRM keeps no comments on time entries; comment on the case.",
)
