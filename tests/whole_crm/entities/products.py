from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from demo_crm.answers import done, first_or_refuse, refused
from demo_crm.entities.base import Body, Entity, RecordDetail, RecordList
from demo_crm.filters import contains, exact
from demo_crm.serializers import Constant, RowSerializer, WriteSerializer
from tests.whole_crm.models import Product

WRITABLE = ("name", "description", "sku", "price", "currency", "category", "is_active")


class ProductSerializer(RowSerializer):
    used_on = Constant(0)

    class Meta:
        model = Product
        fields = ("id", *WRITABLE, "used_on", "created_at", "updated_at")


class ProductWriteSerializer(WriteSerializer):
    """On purpose: an SKU that another product has is a server error."""

    class Meta:
        model = Product
        fields = WRITABLE


class Products(Entity):
    """Read by everyone, changed by administrators."""

    model = Product
    row = ProductSerializer
    write = ProductWriteSerializer
    label = "Product"
    relations = ()

    def owned(self) -> Q:
        return Q()

    def find(self, pk: UUID) -> Any:
        return first_or_refuse(self.records().filter(pk=pk), refused(404, "Product not found"))

    def to_write(self, pk: UUID) -> Any:
        product = self.find(pk)
        self.require_admin()
        return product

    def require_admin(self) -> None:
        if not self.profile.is_admin:
            raise refused(403, "Only an administrator can change the product catalog.")

    def saved(self, verb: str, product: Product, status: int = 200) -> Response:
        return done(f"Product {verb}", status, product=self.shown(product))


class ProductList(Products, RecordList):
    order = ("name",)
    filters = {
        "is_active": lambda records, values, name: records.filter(
            is_active=values[-1].lower() == "true"
        ),
        "search": contains("name", "sku", "description"),
        "category": exact("category"),
    }

    def envelope(self, records: QuerySet[Any]) -> Body:
        return self.linked_page(records)

    def post(self, request: Request) -> Response:
        self.require_admin()
        serializer = self.checked(request.data)
        values = serializer.validated_data
        currency = values.get("currency") or self.profile.org.default_currency
        user = self.profile.user
        product = serializer.save(org=self.profile.org, created_by=user, currency=currency)
        return self.saved("created", product, 201)


class ProductDetail(Products, RecordDetail):
    # On purpose: no PATCH, and a PUT that is partial.
    http_method_names = ["get", "put", "delete", "head", "options"]

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.find(pk)))

    def put(self, request: Request, pk: UUID) -> Response:
        product = self.to_write(pk)
        return self.saved("updated", self.checked(request.data, product, partial=True).save())

    def delete(self, request: Request, pk: UUID) -> Response:
        self.to_write(pk).delete()
        return done("Product deleted")


urlpatterns: list[Any] = [
    path("products/", ProductList.as_view()),
    path("products/<uuid:pk>/", ProductDetail.as_view()),
]
