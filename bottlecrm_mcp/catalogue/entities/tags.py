"""BottleCRM's contract for tags."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import choice, parameter, shown, text
from bottlecrm_mcp.catalogue.model import Action, Effect, Entity, Kind, Section, State

TAGS = Entity(
    name="tags",
    singular="tag",
    path="/api/tags/",
    resource="tags",
    model="common.Tags",
    paged=False,
    sections=(Section("tags"),),
    detail_key="tag",
    admin_writes=True,
    update_method="PUT",
    sent_with_updates=("name",),
    label=(("name",),),
    columns=("name", "color", "description"),
    fields=(
        text("name", 50, required=True),
        choice("color", choices.TAG_COLOR),
        text("description"),
        shown("slug", Kind.TEXT),
        shown("is_active", Kind.BOOLEAN),
        shown("created_at", Kind.DATETIME),
    ),
    search_fields=("name", "description"),
    hidden_note="Archived tags are not listed.",
    actions=(
        Action(
            "restore",
            "Bring an archived tag back.",
            "POST",
            "/api/tags/{id}/restore/",
            admin_only=True,
            not_when=(State("is_active", (True,)),),
            shows={"is_active": True},
            way_back="crm_delete",
            follows="merge",
        ),
        Action(
            "merge",
            "Put another tag on every record that has this one, and archive this one.",
            "POST",
            "/api/tags/{id}/merge/",
            params=(parameter("into", Kind.RELATION, required=True, to="tags"),),
            effects=(Effect.IRREVERSIBLE,),
            consequence="move every record of this tag to the other one, and archive this tag",
            returns=("moved",),
            admin_only=True,
            shows={"is_active": False},
        ),
    ),
    delete_effects=(Effect.DELETES,),
    delete_way_back="crm_action restore",
    delete_consequence="archive the tag: records keep it, new ones can't get it",
    no_comments="BottleCRM keeps no comments on tags.",
)
