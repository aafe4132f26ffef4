"""Estimates and recurring invoices: written as an invoice is, seen by the same rule."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import done, first_or_refuse, refused
from demo_crm.entities import line_items
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList
from demo_crm.entities.billing.billed import PARTIES, BilledWriteSerializer
from demo_crm.entities.billing.invoices import InvoiceSerializer
from demo_crm.entities.rows import (
    AccountSerializer,
    ContactSerializer,
    InvoiceRowSerializer,
    RecordSerializer,
)
from demo_crm.filters import contains, exact
from demo_crm.models import Invoice, InvoiceLineItem
from demo_crm.serializers import (
    Brief,
    Constant,
    RowSerializer,
    names,
)
from demo_crm.services.mail import mail
from tests.whole_crm.models import (
    Estimate,
    EstimateLineItem,
    RecurringInvoice,
    RecurringInvoiceLineItem,
)

CLIENT = names(
    "client_name client_email client_phone client_address_line client_city",
    "client_state client_postcode client_country",
)
PRICE = ("discount_type", "discount_value", "tax_rate", "currency", "notes", "terms")
ITEM = (*line_items.WRITABLE, "tax_rate")


class EstimateLineSerializer(serializers.ModelSerializer[EstimateLineItem]):
    product = Constant()

    class Meta:
        model = EstimateLineItem
        fields = ("id", "product", *line_items.AMOUNTS, "tax_rate", "tax_amount")


class EstimateLineWriteSerializer(serializers.ModelSerializer[EstimateLineItem]):
    class Meta:
        model = EstimateLineItem
        fields = ITEM


class RecurringLineSerializer(serializers.ModelSerializer[RecurringInvoiceLineItem]):
    """On purpose without amounts: only estimates and invoices compute those of a line."""

    product = Constant()

    class Meta:
        model = RecurringInvoiceLineItem
        fields = ("id", "product", *ITEM)


class RecurringLineWriteSerializer(serializers.ModelSerializer[RecurringInvoiceLineItem]):
    class Meta:
        model = RecurringInvoiceLineItem
        fields = ITEM


class FullSerializer(RecordSerializer):
    tags = None
    account = AccountSerializer(read_only=True)
    contact = ContactSerializer(read_only=True)
    opportunity = Brief("name", "amount", "stage", "currency")


class EstimateSerializer(FullSerializer):
    converted_to_invoice = InvoiceRowSerializer(read_only=True)
    line_items = EstimateLineSerializer(many=True, read_only=True)
    is_expired = serializers.BooleanField(read_only=True)

    class Meta:
        model = Estimate
        fields = "__all__"


class RecurringInvoiceSerializer(FullSerializer):
    line_items = RecurringLineSerializer(many=True, read_only=True)

    class Meta:
        model = RecurringInvoice
        fields = "__all__"


class QuotedRowSerializer(RowSerializer):
    prefetch = ("account", "contact", "opportunity")

    account_name = serializers.CharField(source="account.name", read_only=True)
    contact_name = serializers.SerializerMethodField()

    def get_contact_name(self, record: Any) -> str | None:
        return str(record.contact) if record.contact else None


class EstimateRowSerializer(QuotedRowSerializer):
    opportunity = Brief("name")
    converted_to_invoice = Brief("invoice_number")
    is_expired = serializers.BooleanField(read_only=True)

    class Meta:
        model = Estimate
        fields = names(
            "id estimate_number title status account account_name contact contact_name",
            "opportunity converted_to_invoice client_name issue_date expiry_date",
            "total_amount currency is_expired created_at",
        )


class RecurringInvoiceRowSerializer(QuotedRowSerializer):
    class Meta:
        model = RecurringInvoice
        fields = names(
            "id title account account_name contact contact_name client_name frequency",
            "custom_days payment_terms start_date end_date next_generation_date is_active",
            "auto_send total_amount currency invoices_generated created_at",
        )


class EstimateWriteSerializer(BilledWriteSerializer):
    line_items = EstimateLineWriteSerializer(many=True, required=False)

    class Meta:
        model = Estimate
        fields = names(
            "title status",
            PARTIES,
            CLIENT,
            PRICE,
            "issue_date expiry_date public_link_enabled line_items",
        )
        read_only_fields = ("status",)


class RecurringInvoiceWriteSerializer(BilledWriteSerializer):
    line_items = RecurringLineWriteSerializer(many=True, required=False)

    class Meta:
        model = RecurringInvoice
        fields = names(
            "title is_active",
            PARTIES,
            "client_name client_email",
            PRICE,
            "frequency custom_days start_date end_date next_generation_date payment_terms",
            "auto_send line_items",
        )

    def validate(self, attrs: Body) -> Body:
        custom = self.resulting(attrs, "frequency") == "CUSTOM"
        if custom and not self.resulting(attrs, "custom_days"):
            raise ValidationError({"custom_days": ["A custom frequency needs its days."]})
        return super().validate(attrs)


class Quoted(Entity):
    full: ClassVar[type[RowSerializer]]
    # On purpose: neither assignees nor teams can be set through the API.
    relations = ()
    mails_assignees = False

    def find(self, pk: UUID) -> Any:
        return first_or_refuse(
            self.records().filter(pk=pk), refused(404, f"{self.label} not found")
        )

    def denied(self) -> APIException:
        return refused(403, "Permission denied")

    def relate(self, record: Any, names: tuple[str, ...], *, created: bool = False) -> None:
        pass

    def answer(self, verb: str, record: Any, status: int = 200) -> Response:
        record.refresh_from_db()
        return done(f"{self.label} {verb}", status, **{self.object_key: self.full(record).data})


class Estimates(Quoted):
    model = Estimate
    row: ClassVar[type[RowSerializer]] = EstimateSerializer
    full = EstimateSerializer
    write = EstimateWriteSerializer
    label = "Estimate"
    object_key = "estimate"


class RecurringInvoices(Quoted):
    model = RecurringInvoice
    row: ClassVar[type[RowSerializer]] = RecurringInvoiceSerializer
    full = RecurringInvoiceSerializer
    write = RecurringInvoiceWriteSerializer
    label = "Recurring invoice"
    object_key = "recurring_invoice"


class QuotedList(Quoted, RecordList):
    order = ("-created_at",)

    def envelope(self, records: QuerySet[Any]) -> Body:
        return self.linked_page(records)

    def answer_created(self, record: Any) -> Response:
        return self.answer("created", record, 201)


class EstimateList(Estimates, QuotedList):
    row = EstimateRowSerializer
    filters = {
        "status": exact("status"),
        # On purpose unchecked: an id that is none is a server error.
        "account": exact("account"),
        "search": contains("estimate_number", "title", "client_name"),
    }


class RecurringInvoiceList(RecurringInvoices, QuotedList):
    """On purpose: it can't be searched."""

    row = RecurringInvoiceRowSerializer
    filters = {
        "is_active": lambda records, values, name: records.filter(
            is_active=values[-1].lower() == "true"
        )
    }


class QuotedDetail(Quoted, RecordDetail):
    # On purpose: no PATCH.
    http_method_names = ["get", "put", "delete", "head", "options"]

    def get(self, request: Request, pk: UUID) -> Response:
        record = self.to_read(pk)
        return Response({self.object_key: self.shown(record), **self.bundle(record)})

    def put(self, request: Request, pk: UUID) -> Response:
        """On purpose partial."""
        record = self.to_write(pk)
        custom = self.custom(self.request.data, record)
        serializer = self.checked(self.request.data, record, partial=True)
        serializer.save(updated_by=self.profile.user, **custom)
        return self.answer("updated", record)

    def delete(self, request: Request, pk: UUID) -> Response:
        """On purpose: whoever may change it may delete it."""
        self.to_write(pk).delete()
        return done(f"{self.label} deleted")


class EstimateDetail(Estimates, QuotedDetail):
    pass


class RecurringInvoiceDetail(RecurringInvoices, QuotedDetail):
    pass


class EstimateSend(Estimates, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        estimate = self.to_write(pk)
        if estimate.status in ("Accepted", "Declined", "Expired"):
            raise refused(400, f"Cannot send a {estimate.status.lower()} estimate")
        if estimate.is_expired:
            raise refused(400, f"This estimate expired on {estimate.expiry_date}.")
        if estimate.status == "Draft":
            estimate.status = "Sent"
        estimate.sent_at = timezone.now()
        estimate.save()
        # On purpose as with invoices: the contact is not mailed.
        body = f"{estimate.title}: {estimate.currency} {estimate.total_amount}"
        mail(f"Estimate {estimate.estimate_number}", body, [estimate.client_email])
        return done("Estimate sent successfully")


class EstimateConvert(Estimates, APIView):
    """On purpose: whatever its status is, the estimate is accepted by this."""

    def post(self, request: Request, pk: UUID) -> Response:
        estimate = self.to_write(pk)
        if estimate.converted_to_invoice:
            raise refused(400, "Estimate already converted to invoice")
        invoice = self._invoice(estimate)
        estimate.status, estimate.accepted_at = "Accepted", timezone.now()
        estimate.converted_to_invoice = invoice
        estimate.save()
        shown = InvoiceSerializer(invoice).data
        return done("Estimate converted to invoice", 201, invoice=shown)

    def _invoice(self, estimate: Estimate) -> Invoice:
        copied = ("account", "contact", "opportunity", *CLIENT, *PRICE)
        invoice = Invoice.objects.create(
            invoice_title=estimate.title,
            org=estimate.org,
            created_by=self.profile.user,
            **{name: getattr(estimate, name) for name in copied},
        )
        for item in estimate.line_items.all():
            values = {name: getattr(item, name) for name in ITEM}
            line = InvoiceLineItem(invoice=invoice, org=estimate.org, **values)
            line.compute()
            line.save()
        invoice.recalculate()
        return invoice


class RecurringInvoiceToggle(RecurringInvoices, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        recurring = self.to_write(pk)
        recurring.is_active = not recurring.is_active
        recurring.save()
        shown = RecurringInvoiceRowSerializer(recurring).data
        verb = "resumed" if recurring.is_active else "paused"
        return done(f"Recurring invoice {verb}", recurring_invoice=shown)


urlpatterns = [
    path("estimates/", EstimateList.as_view()),
    path("estimates/<uuid:pk>/", EstimateDetail.as_view()),
    path("estimates/<uuid:pk>/send/", EstimateSend.as_view()),
    path("estimates/<uuid:pk>/convert/", EstimateConvert.as_view()),
    path("recurring/", RecurringInvoiceList.as_view()),
    path("recurring/<uuid:pk>/", RecurringInvoiceDetail.as_view()),
    path("recurring/<uuid:pk>/toggle/", RecurringInvoiceToggle.as_view()),
]
