"""BottleCRM's contract for estimates.

Their numbers are counted in one organisation but unique over all, so that the second organisation
to make its first estimate of a day gets a server error. Their list answers 500 to an account that
is no id, and the status is read-only: it follows from sending, from converting, and from what the
customer does on the public page.
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    CUSTOM_FIELDS,
    LINE_ITEM_KEYS,
    REPLACES_LINE_ITEMS,
    TAXED_LINE,
    TOTAL_NOTE,
    WRITE,
    address,
    billed_to,
    date,
    detail,
    many,
    money,
    one,
    revises,
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
    Included,
    Kind,
    RestFilter,
    Section,
    State,
)

ESTIMATES = Entity(
    name="estimates",
    singular="estimate",
    path="/api/invoices/estimates/",
    # Scopes go by the first path segment.
    resource="invoices",
    model="invoices.Estimate",
    write_serializers=("invoices.serializer.EstimateCreateSerializer",) * 2,
    sections=(Section("results", "count"),),
    detail_key="estimate",
    update_method="PUT",
    label=(("estimate_number",), ("title",)),
    columns=("estimate_number", "title", "status", "account", "total_amount", "expiry_date"),
    fields=(
        shown("estimate_number", Kind.TEXT),
        text("title", 100, required=True),
        shown("status", Kind.CHOICE, values=choices.ESTIMATE_STATUS),
        *billed_to("the estimate's", opportunity_listed=True),
        Field("client_email", Kind.EMAIL, WRITE, max_length=254, listed=False),
        Field("client_phone", Kind.PHONE, WRITE, max_length=25, listed=False),
        *address("client_", listed=False),
        Field("discount_type", Kind.CHOICE, WRITE, choices=choices.DISCOUNT_TYPE, listed=False),
        *detail(Kind.DECIMAL, "discount_value", "tax_rate"),
        Field("currency", Kind.CHOICE, WRITE, choices=choices.CURRENCY),
        date("issue_date"),
        date("expiry_date"),
        Field("public_link_enabled", Kind.BOOLEAN, WRITE, listed=False),
        *detail(Kind.TEXT, "notes", "terms"),
        TAXED_LINE,
        Field("custom_fields", Kind.OBJECT, WRITE, listed=False, note=CUSTOM_FIELDS.note),
        money("total_amount", TOTAL_NOTE, access=Access.READ_ONLY),
        Field(
            "is_expired",
            Kind.BOOLEAN,
            computed=True,
            when=(
                State("expiry_date", past=True),
                State("status", ("Draft", "Sent", "Viewed", "Expired")),
            ),
        ),
        one("converted_to_invoice", "invoices", access=Access.READ_ONLY),
        *(
            money(name, access=Access.READ_ONLY, listed=False)
            for name in ("subtotal", "discount_amount", "tax_amount")
        ),
        *(
            shown(name, Kind.DATETIME, listed=False)
            for name in ("sent_at", "viewed_at", "accepted_at", "declined_at")
        ),
        many("assigned_to", "people", access=Access.READ_ONLY, listed=False),
        many("teams", "teams", access=Access.READ_ONLY, listed=False),
        one("created_by", "users", access=Access.READ_ONLY, listed=False),
        shown("created_at", Kind.DATETIME),
        shown("updated_at", Kind.DATETIME, listed=False),
    ),
    search_fields=("estimate_number", "title", "client_name"),
    rest_filters={"status": RestFilter("status"), "account": RestFilter("account")},
    newest_first=True,
    change_effects=(
        revises("estimate", choices.ESTIMATE_STATUS[1:]),
        REPLACES_LINE_ITEMS,
        ChangeEffect(
            (Effect.IRREVERSIBLE,),
            "let the CRM mark the estimate as expired in the coming night, for good",
            "the day is past",
            fields=("expiry_date",),
            before=(State("status", ("Draft", "Sent", "Viewed")),),
            after=(State("expiry_date", past=True),),
            creates=True,
        ),
    ),
    document=("estimate_number", "title", "total_amount", "currency", "expiry_date"),
    actions=(
        Action(
            "send",
            "Send the estimate to the customer by e-mail; a draft becomes Sent.",
            "POST",
            "/api/invoices/estimates/{id}/send/",
            effects=(Effect.MAILS,),
            consequence="e-mail the estimate to the customer",
            not_when=(State("status", ("Accepted", "Declined", "Expired")),),
            done_at="sent_at",
            mails_to="client_email",
            shows={"status": "Sent"},
        ),
        Action(
            "convert",
            "Make a draft invoice of the estimate, which counts as accepted from then on.",
            "POST",
            "/api/invoices/estimates/{id}/convert/",
            effects=(Effect.IRREVERSIBLE,),
            consequence="mark the estimate as accepted, for good, and make a draft invoice of it",
            not_when=(State("converted_to_invoice"),),
            returns=("invoice",),
            returns_entity="invoices",
            shows={"status": "Accepted"},
        ),
    ),
    includes=(Included("line_items", "line items", "estimate.line_items", LINE_ITEM_KEYS),),
    delete_consequence="delete the estimate with its line items",
    no_comments="BottleCRM keeps no comments on estimates; notes is a field of theirs.",
    custom_fields="Estimate",
)
