"""BottleCRM's contract for macros: texts with placeholders for answers to cases.

Their list is not paginated. Rendering one checks no access to the case; here the case is looked up
as the caller first.
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    UPDATED,
    WRITE,
    boolean,
    choice,
    one,
    shown,
    text,
)
from bottlecrm_mcp.catalogue.model import (
    Access,
    Action,
    ChangeEffect,
    Effect,
    Entity,
    Field,
    Kind,
    Section,
    State,
)

MACROS = Entity(
    name="macros",
    singular="macro",
    path="/api/macros/",
    resource="macros",
    model="macros.Macro",
    write_serializers=("macros.serializers.MacroSerializer",) * 2,
    sections=(Section("results"),),
    paged=False,
    label=(("title",),),
    columns=("title", "scope", "is_active", "usage_count", "updated_at"),
    fields=(
        text("title", 255, required=True),
        Field(
            "body",
            Kind.TEXT,
            WRITE,
            required=True,
            note="placeholders: %customer_name%, %customer_email%, %case_id%, %case_subject%, "
            "%agent_name%, %agent_email%, %org_name%",
        ),
        choice(
            "scope",
            choices.MACRO_SCOPE,
            required=True,
            note="personal is your own alone; only an administrator makes one for the org",
            admin_values=("org",),
        ),
        boolean("is_active"),
        one("owner", "people", access=Access.READ_ONLY),
        shown("usage_count", Kind.INTEGER),
        shown("created_at", Kind.DATETIME),
        UPDATED,
    ),
    search_fields=("title", "body"),
    change_effects=(
        ChangeEffect(
            (Effect.HIDES,),
            "switch the macro off for the whole organisation, as deleting it would",
            "it is the organisation's",
            fields=("is_active",),
            before=(State("scope", ("org",)),),
            after=(State("is_active", (False,)),),
        ),
        ChangeEffect(
            (Effect.HIDES,),
            "make the organisation's macro your own, so that nobody else has it",
            "it is the organisation's",
            fields=("scope",),
            before=(State("scope", ("org",)),),
            after=(State("scope", ("personal",)),),
        ),
    ),
    actions=(
        Action(
            "render",
            "The text with its placeholders filled in for a case; it is not sent or stored.",
            "POST",
            "/api/macros/{id}/render/",
            params=(
                Field(
                    "case", Kind.RELATION, WRITE, required=True, to="cases", write_name="case_id"
                ),
            ),
            returns=("rendered_body",),
        ),
    ),
    identity=(("title",),),
    delete_consequence="delete a personal macro; one of the organisation is only switched off",
    kept_after_delete="A macro of the organisation is switched off, not deleted.",
    no_comments="BottleCRM keeps no comments on macros.",
)
