"""BottleCRM's contract for teams."""

from __future__ import annotations

from bottlecrm_mcp.catalogue.field_helpers import CREATED, WRITE, text
from bottlecrm_mcp.catalogue.model import ChangeEffect, Effect, Entity, Field, Kind, Section

TEAMS = Entity(
    name="teams",
    singular="team",
    # The only list of teams that every member may read.
    path="/api/users/get-teams-and-users/",
    resource="users",
    model="common.Teams",
    paged=False,
    has_detail=False,
    sections=(Section("teams"),),
    write_path="/api/teams/",
    write_resource="teams",
    write_serializers=("common.serializer.TeamCreateSerializer",) * 2,
    admin_writes=True,
    # Its PATCH leaves the members alone. Its PUT removes those that it does not name, and has a
    # task assign all that are left to records of the team.
    put_fields=("members",),
    sent_with_updates=("name", "members"),
    label=(("name",),),
    columns=("name", "description"),
    fields=(
        text("name", 100, required=True),
        Field("description", Kind.TEXT, WRITE),
        Field(
            "members",
            Kind.RELATIONS,
            WRITE,
            to="people",
            shown_at="users",
            column="users",
            write_name="assign_users",
            copied_to=("users",),
            note="the CRM also assigns them to the team's records",
        ),
        *CREATED,
    ),
    search_fields=("name", "description"),
    change_effects=(
        ChangeEffect(
            (Effect.IRREVERSIBLE,),
            "assign all members to the accounts, contacts and leads of the team, which leaving the "
            "team does not undo",
            "they change",
            fields=("members",),
        ),
    ),
    identity=(("name",),),
    delete_consequence="delete the team; its records and members stay",
    no_comments="BottleCRM keeps no comments on teams.",
)
