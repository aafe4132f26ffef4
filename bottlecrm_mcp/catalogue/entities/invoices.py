"""BottleCRM's contract for invoices."""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.declarations import (
    ATTACHMENTS,
    COMMENT_ID,
    COMMENT_TEXT,
    COMMENTS,
    CUSTOM_FIELDS,
    LINE_ITEM,
    LINE_ITEM_KEYS,
    NEW_COMMENT_KEYS,
    WRITE,
    address,
    choice,
    date,
    delete_attachment,
    email,
    line_item_actions,
    many,
    money,
    one,
    parameter,
    shown,
    text,
)
from bottlecrm_mcp.catalogue.model import (
    Access,
    Action,
    Effect,
    Entity,
    Field,
    Included,
    Kind,
    RestFilter,
    Section,
)

PAYMENT_KEYS = ("id", "amount", "payment_date", "payment_method", "reference_number", "notes")
INVOICE_LINE = (
    parameter("name", max_length=255),
    *LINE_ITEM,
    parameter("tax_rate", Kind.DECIMAL),
    parameter("order", Kind.INTEGER),
)


def detail(kind: Kind, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, kind, WRITE, listed=False) for name in names)


INVOICES = Entity(
    name="invoices",
    singular="invoice",
    path="/api/invoices/",
    resource="invoices",
    model="invoices.Invoice",
    write_serializers=("invoices.serializer.InvoiceCreateSerializer",) * 2,
    sections=(Section("results", "count"),),
    detail_key="invoice",
    update_method="PUT",
    label=(("invoice_number",), ("invoice_title",)),
    columns=("invoice_number", "invoice_title", "status", "account", "total_amount", "due_date"),
    fields=(
        shown("invoice_number", Kind.TEXT),
        text("invoice_title", 100, required=True),
        shown("status", Kind.CHOICE, values=choices.INVOICE_STATUS),
        one("account", "accounts", required=True, write_name="account_id"),
        one(
            "contact",
            "contacts",
            required=True,
            write_name="contact_id",
            note="a contact of the invoice's account, or one without an account",
        ),
        one("opportunity", "opportunities", write_name="opportunity_id", listed=False),
        text("client_name", 255),
        email("client_email"),
        Field("client_phone", Kind.TEXT, WRITE, max_length=25, listed=False),
        *address("billing_", listed=False),
        *address("client_", listed=False),
        Field("discount_type", Kind.CHOICE, WRITE, choices=choices.DISCOUNT_TYPE, listed=False),
        *detail(Kind.DECIMAL, "discount_value", "tax_rate", "shipping_amount"),
        choice("currency", choices.CURRENCY),
        date("issue_date"),
        date("due_date"),
        Field("payment_terms", Kind.CHOICE, WRITE, choices=choices.PAYMENT_TERMS, listed=False),
        Field("reminder_enabled", Kind.BOOLEAN, WRITE, listed=False),
        *detail(Kind.INTEGER, "reminder_days_before", "reminder_days_after"),
        Field(
            "reminder_frequency",
            Kind.CHOICE,
            WRITE,
            choices=choices.REMINDER_FREQUENCY,
            listed=False,
        ),
        Field("public_link_enabled", Kind.BOOLEAN, WRITE, listed=False),
        *detail(Kind.TEXT, "notes", "terms", "billing_period", "po_number"),
        Field(
            "line_items",
            Kind.OBJECTS,
            WRITE,
            listed=False,
            computed=True,
            parts=INVOICE_LINE,
            note="in an update, all line items are replaced by these",
        ),
        Field(
            "custom_fields",
            Kind.OBJECT,
            WRITE,
            listed=False,
            note=CUSTOM_FIELDS.note,
        ),
        *(
            money(name, access=Access.READ_ONLY)
            for name in ("total_amount", "amount_paid", "amount_due")
        ),
        shown("is_overdue", Kind.BOOLEAN, computed=True),
        *(
            money(name, access=Access.READ_ONLY, listed=False)
            for name in ("subtotal", "discount_amount", "tax_amount")
        ),
        *(shown(name, Kind.DATETIME, listed=False) for name in ("sent_at", "viewed_at", "paid_at")),
        many("assigned_to", "people", access=Access.READ_ONLY, listed=False),
        many("teams", "teams", access=Access.READ_ONLY, listed=False),
        one("created_by", "users", access=Access.READ_ONLY, listed=False),
        shown("created_at", Kind.DATETIME),
        shown("updated_at", Kind.DATETIME, listed=False),
    ),
    search_fields=("invoice_title", "invoice_number", "client_name", "client_email"),
    # The list spells its date bounds with one underscore.
    rest_filters={
        "status": RestFilter("status"),
        "account": RestFilter("account"),
        "contact": RestFilter("contact"),
        "opportunity": RestFilter("opportunity"),
        "assigned_to": RestFilter("assigned_to"),
        "issue_date__gte": RestFilter("issue_date_gte"),
        "issue_date__lte": RestFilter("issue_date_lte"),
        "due_date__gte": RestFilter("due_date_gte"),
        "due_date__lte": RestFilter("due_date_lte"),
    },
    rest_sort=dict.fromkeys(
        ("created_at", "due_date", "issue_date", "total_amount", "status"), "sort"
    ),
    actions=(
        Action(
            "send",
            "Send the invoice to the customer by e-mail; a draft becomes Sent.",
            "POST",
            "/api/invoices/{id}/send/",
            effects=(Effect.MAILS,),
            consequence="e-mail the invoice to the customer",
            mails=("client_email", "contact"),
        ),
        Action(
            "mark_paid",
            "Record the payment of the invoice, by default of the whole amount due.",
            "POST",
            "/api/invoices/{id}/mark-paid/",
            params=(
                parameter("amount", Kind.DECIMAL),
                parameter("payment_method", Kind.CHOICE, values=choices.PAYMENT_METHOD),
                parameter("payment_date", Kind.DATE),
                parameter("reference_number", max_length=100),
                parameter("notes"),
            ),
        ),
        Action(
            "record_payment",
            "Record one payment.",
            "POST",
            "/api/invoices/{id}/payments/",
            params=(
                parameter("amount", Kind.DECIMAL, required=True),
                parameter("payment_date", Kind.DATE, required=True),
                parameter(
                    "payment_method", Kind.CHOICE, required=True, values=choices.PAYMENT_METHOD
                ),
                parameter("reference_number", max_length=100),
                parameter("notes"),
            ),
            returns=PAYMENT_KEYS,
            returns_in=("payment",),
        ),
        Action(
            "remove_payment",
            "Delete a recorded payment.",
            "DELETE",
            "/api/invoices/{id}/payments/{payment_id}/",
            params=(parameter("payment_id", required=True, note="the payment's id, from crm_get"),),
            effects=(Effect.DELETES,),
            consequence="delete the payment and recalculate what is due",
            belongs=("payment_id", "payments"),
        ),
        Action(
            "cancel",
            "Cancel the invoice.",
            "POST",
            "/api/invoices/{id}/cancel/",
            effects=(Effect.IRREVERSIBLE,),
            consequence="cancel the invoice for good",
        ),
        Action(
            "duplicate",
            "Make a new draft with the same content.",
            "POST",
            "/api/invoices/{id}/duplicate/",
            returns=("invoice",),
            returns_entity="invoices",
        ),
        *line_item_actions("/api/invoices/{id}/line-items/", parameter("tax_rate", Kind.DECIMAL)),
        Action(
            "add_comment",
            "Add a comment to the invoice.",
            "POST",
            "/api/invoices/{id}/comments/",
            params=(COMMENT_TEXT,),
            returns=NEW_COMMENT_KEYS,
            returns_in=("comment",),
        ),
        Action(
            "edit_comment",
            "Replace the text of a comment of this invoice.",
            "PUT",
            "/api/invoices/comments/{comment_id}/",
            params=(COMMENT_ID, COMMENT_TEXT),
            belongs=("comment_id", "comments"),
        ),
        Action(
            "delete_comment",
            "Delete a comment of this invoice.",
            "DELETE",
            "/api/invoices/comments/{comment_id}/",
            params=(COMMENT_ID,),
            effects=(Effect.DELETES,),
            consequence="delete the comment",
            belongs=("comment_id", "comments"),
        ),
        delete_attachment("/api/invoices/attachments/{attachment_id}/"),
    ),
    includes=(
        COMMENTS,
        ATTACHMENTS,
        Included("line_items", "line items", "invoice.line_items", LINE_ITEM_KEYS),
        Included(
            "payments",
            "recorded payments",
            "invoice.payments",
            PAYMENT_KEYS,
        ),
    ),
    no_delete="BottleCRM does not delete invoices. Cancel it with crm_action, action `cancel`.",
    custom_fields="Invoice",
)
