"""BottleCRM's contract for leads."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    ATTACHMENTS,
    BY_CREATION,
    BY_PEOPLE_AND_TAGS,
    COMMENTS,
    CREATED,
    CUSTOM_FIELDS,
    PHONE,
    TEAM,
    UPDATED,
    address,
    boolean,
    choice,
    date,
    email,
    integer,
    many,
    money,
    note_actions,
    text,
    url,
)
from bottlecrm_mcp.catalogue.model import (
    Action,
    Effect,
    Entity,
    HiddenValue,
    Included,
    Made,
    Open,
    RestFilter,
    Section,
    ValueEffect,
)

CONVERT_LEAD = (
    "convert the lead: an account, a contact and an opportunity are created or matched, comments "
    "and attachments move to the account, and the lead leaves the list"
)
PERSON = ("first_name", "last_name")
CONVERTED_TO = (
    Made(
        "accounts",
        named=(("company_name",), PERSON),
        found_by="name",
        lost=("currency", "industry"),
    ),
    Made("contacts", named=(PERSON, ("email",)), found_by="email", found_in="email"),
    Made(
        "opportunities",
        named=(("company_name",), PERSON),
        joined=" - ",
        values=(
            ("amount", "opportunity_amount"),
            ("closed_on", "close_date"),
            ("probability", "probability"),
        ),
        fixed=(("stage", "QUALIFICATION"),),
        lost=("currency",),
        if_any=("opportunity_amount", "first_name", "company_name"),
    ),
)
LEADS = Entity(
    name="leads",
    singular="lead",
    open=Open("status", choices.LEAD_STATUS[:2]),
    path="/api/leads/",
    resource="leads",
    model="leads.Lead",
    write_serializers=("leads.serializer.LeadCreateSerializer",) * 2,
    sections=(
        Section("open_leads.open_leads", "open_leads.leads_count"),
        Section("close_leads.close_leads", "close_leads.leads_count"),
    ),
    detail_key="lead_obj",
    label=(("first_name", "last_name"), ("title",), ("company_name",), ("email",)),
    columns=("first_name", "last_name", "company_name", "email", "status", "assigned_to"),
    fields=(
        text("title", 255),
        # The form on the organisation's site writes those that are untrusted.
        text("salutation", 64, untrusted=True),
        text("first_name", 255, untrusted=True),
        text("last_name", 255, untrusted=True),
        email("email", untrusted=True),
        PHONE,
        text("job_title", 255),
        text("website", 255),
        url("linkedin_url", 500),
        text("company_name", 255),
        choice("status", choices.LEAD_STATUS),
        choice("source", choices.LEAD_SOURCE),
        choice("industry", choices.INDUSTRY),
        choice("rating", choices.RATING),
        money("opportunity_amount"),
        choice("currency", choices.CURRENCY),
        integer("probability", "percent, at most 100"),
        date("close_date"),
        *address(),
        date("last_contacted"),
        date("next_follow_up"),
        text("description", untrusted=True),
        boolean("is_active"),
        *TEAM,
        many("contacts", "contacts"),
        CUSTOM_FIELDS,
        *CREATED,
        UPDATED,
    ),
    search_fields=("first_name", "last_name", "company_name", "email"),
    rest_filters={
        "status": RestFilter("status", repeats=True),
        "source": RestFilter("source"),
        "rating": RestFilter("rating"),
        "city__contains": RestFilter("city"),
        "email__contains": RestFilter("email"),
        "close_date__gte": RestFilter("close_date__gte"),
        "close_date__lte": RestFilter("close_date__lte"),
        "next_follow_up": RestFilter("next_follow_up"),
        **BY_PEOPLE_AND_TAGS,
        **BY_CREATION,
    },
    hidden=(
        HiddenValue(
            "status",
            "converted",
            "The CRM leaves converted leads out of the list. Search the account, contact or "
            "opportunity made from the lead, or get the lead by its id.",
        ),
    ),
    hidden_note="Converted leads are not listed.",
    value_effects=(
        ValueEffect(
            "status",
            "converted",
            (Effect.IRREVERSIBLE,),
            CONVERT_LEAD,
            alone=True,
            makes=CONVERTED_TO,
            needs=("email",),
            loses=("currency",),
        ),
        ValueEffect(
            "is_active",
            False,
            (Effect.HIDES,),
            "take the lead off everybody's board",
            creates=False,
        ),
    ),
    actions=(
        Action(
            "convert",
            "Convert the lead into an account, a contact and an opportunity.",
            "PATCH",
            "/api/leads/{id}/",
            body={"status": "converted"},
            effects=(Effect.IRREVERSIBLE,),
            consequence=CONVERT_LEAD,
            makes=CONVERTED_TO,
            needs=("email",),
            loses=("currency",),
            returns=("account_id", "contact_id", "opportunity_id"),
        ),
        *note_actions("leads"),
    ),
    includes=(
        COMMENTS,
        ATTACHMENTS,
        Included("tasks", "tasks of this lead", entity="tasks", by="lead"),
    ),
    identity=(("email",), ("first_name", "last_name"), ("company_name",)),
    delete_consequence="delete the lead with its comments and attachments",
    custom_fields="Lead",
)
