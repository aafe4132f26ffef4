"""BottleCRM's contract for custom fields: what an organisation added to its records."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import UPDATED, parameter, shown
from bottlecrm_mcp.catalogue.model import Entity, Field, Kind, Section

INSTEAD = "An administrator defines custom fields on the CRM's settings pages."
CUSTOM_FIELDS = Entity(
    name="custom_fields",
    singular="custom field",
    path="/api/custom-fields/",
    resource="custom-fields",
    model="common.CustomFieldDefinition",
    paged=False,
    sections=(Section("definitions"),),
    # Without it every record of the organisation is counted for each field.
    list_parameters={"include_counts": "false"},
    label=(("label",),),
    columns=("label", "key", "target_model", "field_type", "is_required", "is_active"),
    fields=(
        shown("label", Kind.TEXT),
        shown("key", Kind.TEXT),
        shown("target_model", Kind.CHOICE, values=choices.CUSTOM_FIELD_TARGET),
        shown("field_type", Kind.CHOICE, values=choices.CUSTOM_FIELD_TYPE),
        Field("options", Kind.OBJECTS, parts=(parameter("value"), parameter("label"))),
        shown("is_required", Kind.BOOLEAN),
        shown("is_filterable", Kind.BOOLEAN),
        shown("display_order", Kind.INTEGER),
        shown("is_active", Kind.BOOLEAN),
        shown("created_at", Kind.DATETIME),
        UPDATED,
    ),
    search_fields=("label", "key"),
    no_create=INSTEAD,
    no_update=INSTEAD,
    no_delete=INSTEAD,
    no_comments="BottleCRM keeps no comments on custom fields.",
)
