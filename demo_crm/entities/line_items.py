"""Line items, of opportunities and of invoices, and payments: lists under one record."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer, SerializerMethodField
from rest_framework.views import APIView

from demo_crm.answers import done, first_or_refuse, invalid, refused
from demo_crm.entities.base import Entity
from demo_crm.models.sales import LineItem
from demo_crm.serializers import names

AMOUNTS = names(
    "name description quantity unit_price discount_type discount_value",
    "discount_amount subtotal total order",
)
WRITABLE = names("name description quantity unit_price discount_type discount_value order")


class LineItemSerializer(ModelSerializer[Any]):
    formatted_unit_price = SerializerMethodField()
    formatted_total = SerializerMethodField()
    belongs_to: ClassVar[str]

    def get_formatted_unit_price(self, item: LineItem) -> str:
        return self._formatted(item, item.unit_price)

    def get_formatted_total(self, item: LineItem) -> str:
        return self._formatted(item, item.total)

    def _formatted(self, item: LineItem, amount: Any) -> str:
        return f"{getattr(item, self.belongs_to).currency or 'USD'} {amount:,.2f}"


class Part(Entity, APIView):
    """A list under one record, reached through that record's own rule."""

    part: ClassVar[type[Model]]
    part_row: ClassVar[type[ModelSerializer[Any]]]
    part_write: ClassVar[type[ModelSerializer[Any]]]
    parent: ClassVar[str]
    key: ClassVar[str] = "line_item"
    noun: ClassVar[str] = "Line item"
    added: ClassVar[str] = "added"
    changed: ClassVar[str] = "updated"
    removed: ClassVar[str] = "deleted"

    def parts(self, record: Any) -> Any:
        return self.part._default_manager.filter(**{self.parent: record})

    def stored(self, record: Any, part: Any = None) -> None:
        """The record's totals follow its parts."""

    def accept(self, record: Any, part: Any = None) -> Any:
        serializer = self.part_write(
            part, data=self.request.data, partial=part is not None, context={"record": record}
        )
        if not serializer.is_valid():
            raise invalid(serializer.errors)
        owner = {"org": self.profile.org, self.parent: record}
        return serializer.save(**owner)


class PartList(Part):
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(self.part_row(self.parts(self.to_read(pk)), many=True).data)

    def post(self, request: Request, pk: UUID) -> Response:
        record = self.to_write(pk)
        part = self.accept(record)
        self.stored(record, part)
        return done(f"{self.noun} {self.added}", 201, **self.shown_part(record, part))

    def shown_part(self, record: Any, part: Any) -> dict[str, Any]:
        return {self.key: self.part_row(part).data}


class PartDetail(Part):
    def found(self, pk: UUID, part_pk: UUID) -> tuple[Any, Any]:
        record = self.to_write(pk)
        part = first_or_refuse(
            self.parts(record).filter(pk=part_pk), refused(404, f"{self.noun} not found")
        )
        return record, part

    def delete(self, request: Request, pk: UUID, part_pk: UUID) -> Response:
        record, part = self.found(pk, part_pk)
        part.delete()
        self.stored(record)
        return done(f"{self.noun} {self.removed}")


class EditablePart(PartDetail):
    def get(self, request: Request, pk: UUID, part_pk: UUID) -> Response:
        return Response(self.part_row(self.found(pk, part_pk)[1]).data)

    def put(self, request: Request, pk: UUID, part_pk: UUID) -> Response:
        """On purpose partial, as every PUT about line items is."""
        record, part = self.found(pk, part_pk)
        part = self.accept(record, part)
        self.stored(record, part)
        shown: dict[str, Any] = {self.key: self.part_row(part).data}
        return done(f"{self.noun} {self.changed}", **shown)
