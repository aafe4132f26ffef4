"""BottleCRM's contract for sales goals. A create answers without an id."""

from __future__ import annotations

from dataclasses import replace

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    UPDATED,
    WRITE,
    boolean,
    choice,
    date,
    one,
    shown,
    text,
)
from bottlecrm_mcp.catalogue.model import Entity, Field, Kind, RestFilter, Section

GOALS = Entity(
    name="goals",
    singular="goal",
    path="/api/opportunities/goals/",
    web_path="/goals/{id}",
    # Scopes go by the first path segment.
    resource="opportunities",
    model="opportunity.SalesGoal",
    write_serializers=("opportunity.serializer.SalesGoalCreateSerializer",) * 2,
    sections=(Section("goals", "goals_count"),),
    update_method="PUT",
    admin_writes=True,
    label=(("name",),),
    columns=("name", "goal_type", "target_value", "period_start", "period_end", "assigned_to"),
    fields=(
        text("name", 255, required=True),
        choice("goal_type", choices.GOAL_TYPE, required=True),
        Field(
            "target_value",
            Kind.DECIMAL,
            WRITE,
            required=True,
            note="an amount of money, or a number of deals",
        ),
        choice("period_type", choices.PERIOD_TYPE, required=True),
        replace(date("period_start"), required=True),
        replace(date("period_end"), required=True, after="period_start"),
        one("assigned_to", "people", note="whose won deals count; the team's if it is empty"),
        one("team", "teams"),
        boolean("is_active"),
        shown("progress_value", Kind.DECIMAL, computed=True),
        shown("progress_percent", Kind.INTEGER, computed=True),
        shown(
            "status",
            Kind.CHOICE,
            values=("completed", "on_track", "at_risk", "behind"),
            computed=True,
        ),
        shown("created_at", Kind.DATETIME),
        UPDATED,
    ),
    search_fields=("name",),
    rest_filters={
        "assigned_to": RestFilter("assigned_to"),
        "team": RestFilter("team"),
        "period_type": RestFilter("period_type"),
    },
    newest_first=True,
    delete_consequence="delete the goal",
    no_comments="BottleCRM keeps no comments on goals.",
)
