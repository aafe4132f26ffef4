"""BottleCRM's contract for products, the catalogue that line items are made from.

A second product of an SKU is a server error, and a price below zero is taken.
"""

from __future__ import annotations

from bottlecrm_mcp.catalogue import choices
from bottlecrm_mcp.catalogue.field_helpers import (
    UPDATED,
    WRITE,
    boolean,
    choice,
    shown,
    text,
)
from bottlecrm_mcp.catalogue.model import Entity, Field, Kind, RestFilter, Section

PRODUCTS = Entity(
    name="products",
    singular="product",
    path="/api/invoices/products/",
    web_path="/invoices/products/{id}",
    resource="invoices",
    model="invoices.Product",
    write_serializers=("invoices.serializer.ProductCreateSerializer",) * 2,
    sections=(Section("results", "count"),),
    update_method="PUT",
    admin_writes=True,
    label=(("name",),),
    columns=("name", "sku", "price", "currency", "category", "is_active"),
    fields=(
        text("name", 255, required=True),
        text("description"),
        Field("sku", Kind.TEXT, WRITE, max_length=100, note="no two products have the same"),
        Field("price", Kind.DECIMAL, WRITE, money=True),
        choice("currency", choices.CURRENCY),
        text("category", 100),
        boolean("is_active"),
        shown("used_on", Kind.INTEGER, computed=True),
        shown("created_at", Kind.DATETIME),
        UPDATED,
    ),
    search_fields=("name", "sku", "description"),
    rest_filters={
        "is_active": RestFilter("is_active"),
        "category": RestFilter("category"),
    },
    identity=(("name",), ("sku",)),
    delete_consequence="delete the product; line items that were made from it stay as they are",
    no_comments="BottleCRM keeps no comments on products; description is a field of theirs.",
)
