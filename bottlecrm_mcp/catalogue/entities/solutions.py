"""BottleCRM's contract for solutions."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    UPDATED,
    WRITE,
    choice,
    one,
    shown,
    text,
)
from bottlecrm_mcp.catalogue.model import (
    Access,
    Action,
    Entity,
    Field,
    Included,
    Kind,
    RestFilter,
    Section,
    State,
)

SOLUTIONS = Entity(
    name="solutions",
    singular="solution",
    aliases=("articles", "article"),
    path="/api/cases/solutions/",
    web_path="/solutions/{id}",
    # Scopes go by the first path segment.
    resource="cases",
    model="cases.Solution",
    write_serializers=("cases.solution_serializers.SolutionCreateUpdateSerializer",) * 2,
    sections=(Section("results", "count"),),
    label=(("title",),),
    columns=("title", "status", "is_published", "updated_at"),
    fields=(
        text("title", 255, required=True),
        text("description", required=True),
        choice(
            "status",
            choices.SOLUTION_STATUS,
            note="only an admin approves",
            admin_values=("approved",),
        ),
        Field(
            "is_published",
            Kind.BOOLEAN,
            WRITE,
            note="only an admin publishes, and only what is approved",
            admin_values=(True,),
        ),
        shown("author", Kind.TEXT, computed=True),
        shown("case_count", Kind.INTEGER, computed=True),
        one("created_by", "users", access=Access.READ_ONLY),
        shown("created_at", Kind.DATETIME),
        UPDATED,
    ),
    search_fields=("title", "description"),
    rest_filters={
        "status": RestFilter("status"),
        "is_published": RestFilter("is_published"),
    },
    actions=(
        Action(
            "publish",
            "Publish an approved solution.",
            "POST",
            "/api/cases/solutions/{id}/publish/",
            admin_only=True,
            way_back="crm_action unpublish",
            not_when=(State("is_published", (True,)),),
            state={"status": "approved"},
            shows={"is_published": True},
        ),
        Action(
            "unpublish",
            "Take a published solution back.",
            "POST",
            "/api/cases/solutions/{id}/unpublish/",
            admin_only=True,
            way_back="crm_action publish",
            not_when=(State("is_published", (False,)),),
            follows="publish",
            shows={"is_published": False},
        ),
    ),
    includes=(Included("cases", "linked cases", "linked_cases", ("id", "name", "status")),),
    identity=(("title",),),
    delete_consequence="delete the solution and its links to cases",
    no_comments="BottleCRM keeps no comments on solutions; comment on a case that links it.",
)
