"""Opportunities: serializers, views and URLs."""

from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.urls import path
from django.utils import timezone
from rest_framework import serializers

from demo_crm import choices
from demo_crm.answers import first_or_refuse, not_found
from demo_crm.entities import line_items
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList, record_urls
from demo_crm.entities.organisation import dropdowns
from demo_crm.entities.rows import (
    STALLED_AFTER,
    AccountSerializer,
    ContactSerializer,
    OpportunityLineItemSerializer,
    OpportunitySerializer,
)
from demo_crm.filters import amounts, any_related, contains, days, instants, related, when
from demo_crm.models import Account, Contact, Opportunity, OpportunityLineItem
from demo_crm.serializers import WriteSerializer, names

CLOSED = Q(stage__in=choices.CLOSED_STAGES)


class OpportunityLineItemWriteSerializer(serializers.ModelSerializer[OpportunityLineItem]):
    name = serializers.CharField(max_length=255, allow_blank=True, default="")

    class Meta:
        model = OpportunityLineItem
        fields = line_items.WRITABLE


class OpportunityWriteSerializer(WriteSerializer):
    probability = serializers.IntegerField(max_value=100, required=False, allow_null=True)

    class Meta:
        model = Opportunity
        fields = names(
            "name account stage opportunity_type currency amount probability closed_on",
            "lead_source description is_active",
        )

    def validate_name(self, name: str) -> str | None:
        return self.require_unique("name", name, "Opportunity already exists with this name")

    def validate(self, attrs: Body) -> Body:
        stage, errors = self.resulting(attrs, "stage"), {}
        if stage in choices.CLOSED_STAGES and not self.resulting(attrs, "closed_on"):
            errors["closed_on"] = ["A closed deal needs the date it was closed on."]
        if stage == "CLOSED_WON" and not self.resulting(attrs, "amount"):
            errors["amount"] = ["A won deal needs its amount."]
        if self._contradicts_line_items(attrs):
            errors["amount"] = ["The amount is the sum of the line items."]
        if errors:
            raise serializers.ValidationError(errors)
        return attrs

    def _contradicts_line_items(self, attrs: Body) -> bool:
        if "amount" not in attrs or self.instance is None or not self.instance.line_items.exists():
            return False
        return bool(attrs["amount"] != self.instance.line_items_total)


class Opportunities(Entity):
    model = Opportunity
    row = OpportunitySerializer
    write = OpportunityWriteSerializer
    label = "Opportunity"
    object_key = "opportunity_obj"
    relations = ("contacts", "tags", "teams", "assigned_to")

    def find(self, pk: UUID) -> Any:
        return first_or_refuse(self.records().filter(pk=pk), not_found("Opportunity not found."))


class OpportunityList(Opportunities, RecordList):
    filters = {
        "search": contains("name"),
        "name": contains("name"),
        "account": related("account"),
        # On purpose "contains": CLOSED matches both of the closed stages.
        "stage": contains("stage"),
        "lead_source": contains("lead_source"),
        "tags": any_related("tags"),
        "assigned_to": any_related("assigned_to"),
        "open": when("true", ~CLOSED),
        **instants("created_at"),
        **days("closed_on"),
        **amounts("amount"),
    }

    def envelope(self, records: QuerySet[Any]) -> Body:
        page = self.page(records, "opportunities", "opportunities_count")
        return {
            "totals": self._totals(records),
            **self.page_numbers(),
            **page,
            "accounts_list": AccountSerializer.listed(self._own(Account)),
            "contacts_list": ContactSerializer.listed(self._own(Contact)),
            "tags": dropdowns.tags(),
            "stage": choices.OPPORTUNITY_STAGE,
            "lead_source": choices.OPPORTUNITY_SOURCE,
            "currency": choices.CURRENCY,
        }

    def _own(self, model: Any) -> QuerySet[Any]:
        records: QuerySet[Any] = model.objects.all()
        return records if self.profile.is_admin else records.filter(self.owned()).distinct()

    def _totals(self, records: QuerySet[Any]) -> Body:
        # Over the keys alone: a join to assignees would count a deal once for each of them.
        deals = Opportunity.objects.filter(pk__in=records.order_by().values("pk"))
        stalled = ~CLOSED & Q(stage_changed_at__lt=timezone.now() - STALLED_AFTER)
        figures = deals.aggregate(
            count=Count("pk"),
            amount_sum=Sum("amount", default=0),
            weighted_sum=Sum(F("amount") * F("probability") / 100, default=0),
            stalled_count=Count("pk", filter=stalled),
        )
        floats = {name: float(figures[name]) for name in ("amount_sum", "weighted_sum")}
        return {**figures, **floats}


class OpportunityDetail(Opportunities, RecordDetail):
    def update(self, record: Opportunity, data: Any, *args: Any, **kwargs: Any) -> Any:
        stage = record.stage
        answer = super().update(record, data, *args, **kwargs)
        if record.stage != stage:
            record.stage_changed_at = timezone.now()
            record.closed_by = self.profile if record.stage in choices.CLOSED_STAGES else None
            record.save()
        return answer

    def put(self, request: Any, pk: UUID) -> Any:
        """On purpose: the closing date counts as emptied when it is left out."""
        return self.update(
            self.to_write(pk), {"closed_on": None, **self.request.data}, self.relations
        )

    def bundle(self, record: Opportunity) -> Body:
        return {
            "contacts": ContactSerializer.listed(record.contacts.all()),
            "users": dropdowns.full_members(self.profile),
            "stage": choices.OPPORTUNITY_STAGE,
            "lead_source": choices.OPPORTUNITY_SOURCE,
            "currency": choices.CURRENCY,
            "comment_permission": True,
            "users_mention": dropdowns.mentionable(self.profile, record),
            **super().bundle(record),
        }


class OpportunityLineItems(Opportunities, line_items.Part):
    part = OpportunityLineItem
    part_row = OpportunityLineItemSerializer
    part_write = OpportunityLineItemWriteSerializer
    parent = "opportunity"
    added = "created successfully"
    changed = "updated successfully"
    removed = "deleted successfully"

    def stored(self, record: Opportunity, part: Any = None) -> None:
        if part:
            part.compute()
            part.save()
        record.amount = record.line_items_total
        record.amount_source = "CALCULATED" if record.line_items.exists() else "MANUAL"
        record.save()


class LineItemList(OpportunityLineItems, line_items.PartList):
    pass


class LineItemDetail(OpportunityLineItems, line_items.EditablePart):
    pass


urlpatterns = [
    *record_urls(OpportunityList, OpportunityDetail),
    path("<uuid:pk>/line-items/", LineItemList.as_view()),
    path("<uuid:pk>/line-items/<uuid:part_pk>/", LineItemDetail.as_view()),
]
