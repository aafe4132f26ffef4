"""Billed records: how a write about an account and a contact with line items is stored."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from demo_crm.entities.base import Body
from demo_crm.models import Account, Contact, Opportunity
from demo_crm.serializers import WriteSerializer

PARTIES = ("account_id", "contact_id", "opportunity_id")


class BilledWriteSerializer(WriteSerializer):
    """On purpose: what answers call `account` and `contact` is written with `_id`."""

    account_id = serializers.UUIDField(write_only=True)
    contact_id = serializers.UUIDField(write_only=True)
    opportunity_id = serializers.UUIDField(write_only=True, required=False, allow_null=True)

    def validate_account_id(self, pk: UUID) -> UUID:
        return self._in_org(Account, pk)

    def validate_contact_id(self, pk: UUID) -> UUID:
        return self._in_org(Contact, pk)

    def validate_opportunity_id(self, pk: UUID | None) -> UUID | None:
        return self._in_org(Opportunity, pk) if pk else None

    def validate(self, attrs: Body) -> Body:
        both = "contact_id" in attrs and "account_id" in attrs
        contact = Contact.objects.filter(pk=attrs["contact_id"]).first() if both else None
        if contact and contact.account_id not in (None, attrs["account_id"]):
            raise ValidationError({"contact_id": ["The contact belongs to another account."]})
        return attrs

    def create(self, validated_data: Body) -> Any:
        items = validated_data.pop("line_items", [])
        record = self.Meta.model._default_manager.create(**validated_data)  # type: ignore[attr-defined]
        return self._with_items(record, items)

    def update(self, instance: Any, validated_data: Body) -> Any:
        items = validated_data.pop("line_items", None)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        if items is not None:
            instance.line_items.all().delete()
        return self._with_items(instance, items or [])

    def _with_items(self, record: Any, items: list[Body]) -> Any:
        for position, values in enumerate(items):
            item = record.line_items.model(
                **{record.line_items.field.name: record, "order": position, **values},
                org=record.org,
            )
            item.compute()
            item.save()
        record.recalculate()
        return record

    def _in_org(self, model: Any, pk: UUID) -> UUID:
        if not model.objects.filter(pk=pk, org=self.org).exists():
            name = model.__name__
            raise ValidationError(f"{name} not found or does not belong to your organization")
        return pk
