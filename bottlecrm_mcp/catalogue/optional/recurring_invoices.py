"""BottleCRM's contract for recurring invoices: schedules that invoices are made by.

A task of the CRM makes the invoice of each schedule that is active and due, and mails it at once
where `auto_send` is set. The list can't be searched.
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
    billed_to,
    boolean,
    choice,
    date,
    detail,
    integer,
    many,
    money,
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
    Included,
    Kind,
    RestFilter,
    Section,
    State,
    ValueEffect,
)

PATH = "/api/invoices/recurring/"
MAILS_BY_ITSELF = (State("auto_send", (True,)), State("is_active", (True,)))
RECURRING_INVOICES = Entity(
    name="recurring_invoices",
    singular="recurring invoice",
    path=PATH,
    resource="invoices",
    model="invoices.RecurringInvoice",
    write_serializers=("invoices.serializer.RecurringInvoiceCreateSerializer",) * 2,
    sections=(Section("results", "count"),),
    detail_key="recurring_invoice",
    update_method="PUT",
    label=(("title",),),
    columns=("title", "account", "frequency", "total_amount", "next_generation_date", "is_active"),
    fields=(
        text("title", 100, required=True),
        boolean("is_active"),
        *billed_to("that"),
        Field("client_email", Kind.EMAIL, WRITE, max_length=254, listed=False),
        choice("frequency", choices.RECURRING_FREQUENCY, note="CUSTOM needs custom_days"),
        # BottleCRM adds it to a date. Where that overflows, its daily task makes an invoice, can't
        # move the date on, and makes another one every day.
        integer("custom_days", maximum=3_660),
        date("start_date"),
        date("end_date"),
        Field(
            "next_generation_date",
            Kind.DATE,
            WRITE,
            note="the day of the next invoice; today if left out, whenever the schedule starts",
        ),
        choice("payment_terms", choices.PAYMENT_TERMS),
        Field("auto_send", Kind.BOOLEAN, WRITE, note="true mails each invoice to the customer"),
        choice("currency", choices.CURRENCY),
        Field("discount_type", Kind.CHOICE, WRITE, choices=choices.DISCOUNT_TYPE, listed=False),
        *detail(Kind.DECIMAL, "discount_value", "tax_rate"),
        *detail(Kind.TEXT, "notes", "terms"),
        TAXED_LINE,
        Field("custom_fields", Kind.OBJECT, WRITE, listed=False, note=CUSTOM_FIELDS.note),
        money("total_amount", TOTAL_NOTE, access=Access.READ_ONLY),
        money("subtotal", access=Access.READ_ONLY, listed=False),
        shown("invoices_generated", Kind.INTEGER),
        many("assigned_to", "people", access=Access.READ_ONLY, listed=False),
        many("teams", "teams", access=Access.READ_ONLY, listed=False),
        one("created_by", "users", access=Access.READ_ONLY, listed=False),
        shown("created_at", Kind.DATETIME),
        shown("updated_at", Kind.DATETIME, listed=False),
    ),
    search_fields=("title", "client_name"),
    search_parameter="",
    rest_filters={"is_active": RestFilter("is_active")},
    newest_first=True,
    value_effects=(
        ValueEffect(
            "auto_send",
            True,
            (Effect.MAILS,),
            "e-mail every invoice of this schedule to the customer as soon as it is made",
            mails_to="client_email",
        ),
        ValueEffect(
            "is_active",
            True,
            (Effect.MAILS,),
            "make invoices by this schedule and e-mail each to the customer",
            mails_to="client_email",
            given=("auto_send", True),
        ),
    ),
    change_effects=(
        ChangeEffect(
            (Effect.MAILS,),
            "change the invoices that this schedule makes and e-mails to the customer",
            "it is active and has auto_send",
            before=MAILS_BY_ITSELF,
            after=MAILS_BY_ITSELF,
            mails_to="client_email",
        ),
        REPLACES_LINE_ITEMS,
    ),
    document=("title", "total_amount", "currency", "frequency", "next_generation_date"),
    actions=(
        Action(
            "pause",
            "Make no more invoices by this schedule until it is resumed.",
            "PUT",
            PATH + "{id}/",
            body={"is_active": False},
            not_when=(State("is_active", (False,)),),
            way_back="crm_action resume",
        ),
        Action(
            "resume",
            "Make invoices by this schedule again.",
            "PUT",
            PATH + "{id}/",
            body={"is_active": True},
            change_effects=(
                ChangeEffect(
                    (Effect.MAILS,),
                    "make invoices by this schedule again and e-mail each to the customer",
                    before=MAILS_BY_ITSELF[:1],
                    mails_to="client_email",
                ),
            ),
            not_when=(State("is_active", (True,)),),
            follows="pause",
            way_back="crm_action pause",
        ),
    ),
    includes=(
        Included("line_items", "line items", "recurring_invoice.line_items", LINE_ITEM_KEYS),
    ),
    delete_consequence="delete the schedule; the invoices that it made stay",
    no_comments="BottleCRM keeps no comments on recurring invoices; notes is a field of theirs.",
    custom_fields="RecurringInvoice",
)
