"""BottleCRM's contract for people: the members of the organisation."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import shown
from bottlecrm_mcp.catalogue.model import Entity, Field, Kind, Section

INSTEAD = "An administrator invites, changes and removes people on the CRM's settings pages."
PEOPLE = Entity(
    name="people",
    singular="person",
    path="/api/users/get-teams-and-users/",
    resource="users",
    model="common.Profile",
    row_security=False,
    own="profile_id",
    paged=False,
    # The detail view goes by another id, and bundles whatever is assigned to the person.
    has_detail=False,
    sections=(Section("profiles"),),
    label=(("name",), ("email",)),
    columns=("name", "email", "role"),
    fields=(
        Field("name", Kind.TEXT, shown_at="user_details.name", column="user__name"),
        Field("email", Kind.EMAIL, shown_at="user_details.email", column="user__email"),
        shown("role", Kind.CHOICE, values=choices.ROLE),
        shown("phone", Kind.PHONE),
        Field("user_id", Kind.TEXT, shown_at="user_details.id", column="user"),
        shown("created_at", Kind.DATETIME),
    ),
    search_fields=("name", "email"),
    hidden_note="Deactivated people are not listed.",
    no_create=INSTEAD,
    no_update=INSTEAD,
    no_delete=INSTEAD,
    no_comments="BottleCRM keeps no comments on people.",
)
