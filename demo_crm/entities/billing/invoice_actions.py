"""Invoice actions: sending, cancelling, copying, line items, payments and notes."""

from typing import Any, ClassVar
from uuid import UUID

from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_crm.answers import done, first_or_refuse, invalid, refused
from demo_crm.entities import line_items
from demo_crm.entities.base import Body, RecordDetail
from demo_crm.entities.billing.invoice_parts import (
    InvoiceLineItemSerializer,
    InvoiceLineItemWriteSerializer,
    PaymentSerializer,
    PaymentWriteSerializer,
)
from demo_crm.entities.billing.invoices import CLIENT, REMINDERS, Invoices
from demo_crm.entities.rows import InvoiceRowSerializer
from demo_crm.models import Attachment, Comment, Invoice, InvoiceLineItem, Payment
from demo_crm.serializers import AttachmentSerializer, CommentSerializer, names
from demo_crm.services.mail import mail

COPIED = names(
    "account contact opportunity",
    CLIENT,
    "discount_type discount_value tax_rate shipping_amount currency payment_terms",
    REMINDERS,
    "notes terms",
)


class InvoiceSend(Invoices, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        invoice = self.to_write(pk)
        if invoice.status in ("Paid", "Cancelled"):
            raise refused(400, f"Cannot send a {invoice.status.lower()} invoice")
        if invoice.status == "Draft":
            invoice.status = "Sent"
        invoice.sent_at = timezone.now()
        invoice.save()
        # On purpose: the contact is not mailed, and without an address nobody is told.
        body = f"{invoice.currency} {invoice.amount_due} is due on {invoice.due_date}."
        mail(f"Invoice {invoice.invoice_number}", body, [invoice.client_email])
        return done("Invoice sent successfully")


class InvoiceCancel(Invoices, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        invoice = self.to_write(pk)
        if invoice.status == "Cancelled":
            raise refused(400, "Invoice is already cancelled")
        if invoice.status == "Paid":
            raise refused(400, "Cannot cancel a paid invoice")
        invoice.status = "Cancelled"
        invoice.save()
        return self.answer("Invoice cancelled successfully", invoice)


class InvoiceDuplicate(Invoices, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        original = self.to_read(pk)
        copy = Invoice.objects.create(
            invoice_title=f"Copy of {original.invoice_title}",
            org=self.profile.org,
            created_by=self.profile.user,
            **{name: getattr(original, name) for name in COPIED},
        )
        for item in original.line_items.all():
            item.pk, item.invoice, item._state.adding = None, copy, True
            item.save()
        copy.recalculate()
        return self.answer("Invoice duplicated successfully", copy, status=201)


class InvoiceLineItems(Invoices, line_items.Part):
    part = InvoiceLineItem
    part_row = InvoiceLineItemSerializer
    part_write = InvoiceLineItemWriteSerializer
    parent = "invoice"

    def stored(self, record: Invoice, part: Any = None) -> None:
        if part:
            part.compute()
            part.save()
        record.recalculate()


class LineItemList(InvoiceLineItems, line_items.PartList):
    pass


class LineItemDetail(InvoiceLineItems, line_items.EditablePart):
    pass


class Payments(Invoices, line_items.Part):
    part = Payment
    part_row = PaymentSerializer
    part_write = PaymentWriteSerializer
    parent = "invoice"
    key = "payment"
    noun = "Payment"
    added = "recorded"

    def stored(self, record: Invoice, part: Any = None) -> None:
        record.apply_payments()


class PaymentList(Payments, line_items.PartList):
    def shown_part(self, record: Any, part: Any) -> Body:
        invoice = InvoiceRowSerializer(record).data
        return {"payment": PaymentSerializer(part).data, "invoice": invoice}


class PaymentDetail(Payments, line_items.PartDetail):
    pass


class InvoiceMarkPaid(Payments, APIView):
    def post(self, request: Request, pk: UUID) -> Response:
        invoice = self.to_write(pk)
        payment = {
            "amount": invoice.amount_due,
            "payment_method": "OTHER",
            "payment_date": timezone.localdate(),
            **self.request.data,
        }
        serializer = PaymentWriteSerializer(data=payment, context={"record": invoice})
        if not serializer.is_valid():
            raise invalid(serializer.errors)
        serializer.save(invoice=invoice, org=self.profile.org)
        invoice.apply_payments()
        shown = self.shown(self.find(pk))
        return done("Payment recorded successfully", invoice=shown)


class InvoiceComments(Invoices, RecordDetail):
    http_method_names = ["post"]

    def post(self, request: Request, pk: UUID) -> Response:
        comment = self.add_comment(self.to_read(pk))
        if comment is None:
            raise refused(400, "Comment text required")
        return done("Comment added", 201, comment=CommentSerializer(comment).data)


class InvoiceAttachments(Invoices, RecordDetail):
    http_method_names = ["post"]

    def post(self, request: Request, pk: UUID) -> Response:
        attachment = self.add_attachment(self.to_read(pk), "file")
        if attachment is None:
            raise refused(400, "File required")
        shown = AttachmentSerializer(attachment).data
        return done("Attachment uploaded", 201, attachment=shown)


class InvoiceNote(APIView):
    """A comment or a file, which its author and administrators may change."""

    request: Any
    model: ClassVar[type[Any]]
    author: ClassVar[str]

    def own(self, pk: UUID) -> Any:
        name = self.model.__name__
        note = first_or_refuse(self.model.objects.filter(pk=pk), refused(404, f"{name} not found"))
        profile = self.request.profile
        if not profile.is_admin and getattr(note, self.author) not in (profile, profile.user):
            raise refused(403, "Permission denied")
        return note

    def delete(self, request: Request, pk: UUID) -> Response:
        self.own(pk).delete()
        return done(f"{self.model.__name__} deleted")


class InvoiceComment(InvoiceNote):
    model = Comment
    author = "commented_by"

    def put(self, request: Request, pk: UUID) -> Response:
        comment = self.own(pk)
        comment.comment = self.request.data.get("comment", comment.comment)
        comment.save()
        return done("Comment updated", comment=CommentSerializer(comment).data)


class InvoiceAttachment(InvoiceNote):
    model = Attachment
    author = "created_by"


urlpatterns = [
    path("<uuid:pk>/send/", InvoiceSend.as_view()),
    path("<uuid:pk>/mark-paid/", InvoiceMarkPaid.as_view()),
    path("<uuid:pk>/cancel/", InvoiceCancel.as_view()),
    path("<uuid:pk>/duplicate/", InvoiceDuplicate.as_view()),
    path("<uuid:pk>/line-items/", LineItemList.as_view()),
    path("<uuid:pk>/line-items/<uuid:part_pk>/", LineItemDetail.as_view()),
    path("<uuid:pk>/payments/", PaymentList.as_view()),
    path("<uuid:pk>/payments/<uuid:part_pk>/", PaymentDetail.as_view()),
    path("<uuid:pk>/comments/", InvoiceComments.as_view()),
    path("comments/<uuid:pk>/", InvoiceComment.as_view()),
    path("<uuid:pk>/attachments/", InvoiceAttachments.as_view()),
    path("attachments/<uuid:pk>/", InvoiceAttachment.as_view()),
]
