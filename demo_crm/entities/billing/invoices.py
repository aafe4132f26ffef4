"""Invoices: serializers, views and URLs."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm import choices
from demo_crm.answers import done, first_or_refuse, refused
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList
from demo_crm.entities.billing.billed import PARTIES, BilledWriteSerializer
from demo_crm.entities.billing.invoice_parts import (
    InvoiceLineItemSerializer,
    InvoiceLineItemWriteSerializer,
    PaymentSerializer,
)
from demo_crm.entities.rows import (
    AccountSerializer,
    ContactSerializer,
    InvoiceRowSerializer,
    RecordSerializer,
)
from demo_crm.filters import contains, exact, related
from demo_crm.models import Invoice
from demo_crm.serializers import (
    Brief,
    Constant,
    RowSerializer,
    names,
)

CLIENT = names(
    "client_name client_email client_phone billing_address_line billing_city",
    "billing_state billing_postcode billing_country client_address_line client_city",
    "client_state client_postcode client_country",
)
REMINDERS = names("reminder_enabled reminder_days_before reminder_days_after reminder_frequency")


class InvoiceSerializer(RecordSerializer):
    account = AccountSerializer(read_only=True)
    contact = ContactSerializer(read_only=True)
    opportunity = Brief("name", "amount", "stage", "currency")
    last_reminder_sent = Constant()
    reminder_count = Constant(0)
    public_url = serializers.SerializerMethodField()
    template = Constant()
    details = Constant()
    line_items = InvoiceLineItemSerializer(many=True, read_only=True)
    payments = PaymentSerializer(many=True, read_only=True)

    class Meta:
        model = Invoice
        fields = names(
            "id invoice_number invoice_title status account contact opportunity",
            CLIENT,
            "subtotal discount_type discount_value discount_amount tax_rate tax_amount",
            "shipping_amount total_amount currency amount_paid amount_due issue_date",
            "due_date payment_terms sent_at viewed_at paid_at",
            REMINDERS,
            "last_reminder_sent reminder_count public_token public_link_enabled public_url",
            "template notes terms details billing_period po_number custom_fields line_items",
            "payments assigned_to teams is_overdue created_at updated_at created_by org",
        )

    def get_public_url(self, invoice: Invoice) -> str | None:
        return f"/portal/invoice/{invoice.public_token}" if invoice.public_link_enabled else None


class InvoiceWriteSerializer(BilledWriteSerializer):
    template_id = serializers.UUIDField(write_only=True, required=False, allow_null=True)
    line_items = InvoiceLineItemWriteSerializer(many=True, required=False)

    class Meta:
        model = Invoice
        fields = names(
            "invoice_title status",
            PARTIES,
            CLIENT,
            "discount_type discount_value tax_rate shipping_amount currency issue_date",
            "due_date payment_terms",
            REMINDERS,
            "public_link_enabled template_id notes terms billing_period po_number",
            "line_items",
        )
        read_only_fields = ("status",)
        # On purpose: they may be left out, but not be empty.
        extra_kwargs = {name: {"allow_blank": False} for name in ("client_name", "client_email")}

    def validate_template_id(self, pk: UUID | None) -> UUID | None:
        if pk:
            raise ValidationError("Template not found or does not belong to your organization")
        return pk

    def validate(self, attrs: Body) -> Body:
        attrs.pop("template_id", None)
        return super().validate(attrs)


class Invoices(Entity):
    model = Invoice
    row: ClassVar[type[RowSerializer]] = InvoiceSerializer
    write = InvoiceWriteSerializer
    label = "Invoice"
    object_key = "invoice"
    # On purpose: neither assignees nor teams can be set through the API.
    relations = ()
    mails_assignees = False

    def find(self, pk: UUID) -> Any:
        return first_or_refuse(self.records().filter(pk=pk), refused(404, "Invoice not found"))

    def denied(self) -> APIException:
        return refused(403, "You do not have permission to access this invoice")

    def answer(self, message: str, invoice: Invoice, status: int = 200) -> Response:
        invoice.refresh_from_db()
        return done(message, status, invoice=self.shown(invoice))


def day(field: str) -> Any:
    """On purpose unchecked: a value that is no date is a server error."""
    return lambda records, values, name: records.filter(**{field: values[-1]})


class InvoiceList(Invoices, RecordList):
    row = InvoiceRowSerializer
    order = ("-created_at",)
    filters = {
        "search": contains("invoice_title", "invoice_number", "client_name", "client_email"),
        "status": exact("status"),
        "account": related("account"),
        "contact": related("contact"),
        "opportunity": related("opportunity"),
        "assigned_to": related("assigned_to"),
        "created_by": related("created_by"),
        # On purpose: one underscore, where every other list has two.
        "issue_date_gte": day("issue_date__gte"),
        "issue_date_lte": day("issue_date__lte"),
        "due_date_gte": day("due_date__gte"),
        "due_date_lte": day("due_date__lte"),
    }

    def ordering(self) -> tuple[str, ...]:
        wanted = self.request.query_params.get("sort", "")
        known = ("created_at", "due_date", "issue_date", "total_amount", "status")
        return (wanted,) if wanted.removeprefix("-") in known else self.order

    def envelope(self, records: QuerySet[Any]) -> Body:
        return {**self.linked_page(records), "totals": self._totals()}

    def _totals(self) -> Body:
        """On purpose: of everything the caller may see, whatever the filters are."""
        today = timezone.localdate()
        quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
        draft, unpaid = Q(status="Draft"), Q(status__in=choices.UNPAID_STATUSES)
        this_month = Q(due_date__year=today.year, due_date__month=today.month)
        overdue = unpaid & Q(due_date__lt=today)
        figures = Invoice.objects.filter(pk__in=self.visible().values("pk")).aggregate(
            count=Count("pk"),
            outstanding=Sum("amount_due", filter=unpaid, default=0),
            overdue=Sum("amount_due", filter=overdue, default=0),
            due_this_month=Sum("total_amount", filter=unpaid & this_month, default=0),
            paid_this_quarter=Sum("amount_paid", filter=Q(paid_at__date__gte=quarter), default=0),
            draft=Sum("total_amount", filter=draft, default=0),
            action_needed=Count("pk", filter=draft | overdue),
        )
        counts = ("count", "action_needed")
        return {name: value if name in counts else str(value) for name, value in figures.items()}

    def relate(self, record: Any, names: tuple[str, ...], *, created: bool = False) -> None:
        pass

    def answer_created(self, record: Invoice) -> Response:
        shown = InvoiceSerializer(record).data
        return done("Invoice created successfully", 201, invoice=shown)


class InvoiceDetail(Invoices, RecordDetail):
    # On purpose: no PATCH and no DELETE. An invoice is cancelled, and changed by PUT.
    http_method_names = ["get", "put", "head", "options"]

    def bundle(self, record: Invoice) -> Body:
        return {"history": [], **super().bundle(record)}

    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose partial, unlike every other PUT."""
        invoice = self.to_write(pk)
        custom = self.custom(self.request.data, invoice)
        serializer = self.checked(self.request.data, invoice, partial=True)
        serializer.save(updated_by=self.profile.user, **custom)
        return self.answer("Invoice updated successfully", invoice)


urlpatterns = [path("", InvoiceList.as_view()), path("<uuid:pk>/", InvoiceDetail.as_view())]
