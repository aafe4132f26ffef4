"""Invoice parts: serializers of line items and payments."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from demo_crm.entities import line_items
from demo_crm.models import InvoiceLineItem, Payment
from demo_crm.serializers import Constant, names


class InvoiceLineItemSerializer(line_items.LineItemSerializer):
    belongs_to = "invoice"
    product = Constant()
    product_name = Constant()

    class Meta:
        model = InvoiceLineItem
        fields = names(
            "id product product_name",
            line_items.AMOUNTS,
            "tax_rate tax_amount formatted_unit_price formatted_total",
        )


class InvoiceLineItemWriteSerializer(serializers.ModelSerializer[InvoiceLineItem]):
    class Meta:
        model = InvoiceLineItem
        fields = (*line_items.WRITABLE, "tax_rate")


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    class Meta:
        model = Payment
        fields = names(
            "id invoice amount payment_date payment_method reference_number notes", "created_at"
        )


class PaymentWriteSerializer(serializers.ModelSerializer[Payment]):
    class Meta:
        model = Payment
        fields = ("amount", "payment_date", "payment_method", "reference_number", "notes")

    def validate_amount(self, amount: Any) -> Any:
        due = self.context["record"].amount_due
        if amount <= 0:
            raise ValidationError("A payment is more than nothing.")
        if amount > due:
            raise ValidationError(f"The payment is more than the amount due ({due}).")
        return amount

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.context["record"].status == "Cancelled":
            raise ValidationError("A cancelled invoice takes no payment.")
        return attrs
