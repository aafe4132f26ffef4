"""Queries on the entity's own manager, restricted to the rows that the caller may see.

The captured querysets are an access rule only: what was asked for runs on the model's base manager.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, F, Model, OrderBy, OuterRef, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import DateTimeField

from bottlecrm_mcp.catalogue.model import CREATED, Catalogue, Field, Kind
from bottlecrm_mcp.gateway.base import MOST_COUNTED, Condition, NotAvailable, Page, RowQuery
from bottlecrm_mcp.gateway.in_process.access_rule import visible_rows
from bottlecrm_mcp.gateway.shared.rows import EMPTY, by_name, without_empty

ORG = "org"

# What a record has several of.
MANY = (Kind.RELATIONS, Kind.OBJECTS)

_MOMENT = DateTimeField()


class Links(NamedTuple):
    """The rows of a many-to-many relation, and their fields: whose they are, and to what."""

    rows: QuerySet[Any]
    ours: str
    theirs: str


class Records:
    """The records of one model that the caller may see; of these ids alone, where any are given."""

    def __init__(
        self,
        catalogue: Catalogue,
        model: type[Model],
        querysets: Sequence[QuerySet[Any]],
        org_id: str = "",
        ids: Sequence[str] | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.model = model
        self.queryset = visible_rows(model, querysets, ids)
        if org_id and self._has(ORG):
            # Already so by the captured querysets and by row-level security; but its policy
            # compares text, and only this lets PostgreSQL use the organisation's index.
            self.queryset = self.queryset.filter(**{ORG: org_id})

    def page(self, query: RowQuery, search_fields: Sequence[str]) -> Page:
        """The rows of a search. Raises `NotAvailable` for columns that lists don't have."""
        for field in query.columns:
            if field.computed or not field.listed:
                raise NotAvailable(f"{field.name} is not in lists; crm_get shows it.")
        rows = self.matching(query, search_fields)
        ordered = rows.order_by(*self._order(query))
        window = ordered[query.offset : query.offset + query.limit]
        found = self.rows(window, query.columns)
        if not query.offset and len(found) < query.limit:
            return Page(found, len(found))
        if query.exact:
            return Page(found, rows.count())
        most = max(MOST_COUNTED, query.offset + query.limit)
        total = rows.order_by().values("pk")[: most + 1].count()
        return Page(found, min(total, most), more=total > most)

    def matching(self, query: RowQuery, search_fields: Sequence[str]) -> QuerySet[Any]:
        # One filter: each more would copy those before it.
        conditions = [
            _any(Q(**{f"{name}__icontains": word}) for name in search_fields)
            for word in query.query.split()
        ]
        conditions += map(self._restriction, query.conditions)
        if query.either:
            conditions.append(_any(Q(*map(self._restriction, each)) for each in query.either))
        return self.queryset.filter(*conditions)

    def rows(self, window: QuerySet[Any], columns: Sequence[Field]) -> list[dict[str, Any]]:
        singles = [field for field in columns if field.kind not in MANY]
        names = {"pk": None} | dict.fromkeys(
            path for field in singles for path in self.paths(field)
        )
        found = list(window.values(*names))
        keys = [each["pk"] for each in found]
        read = {Kind.RELATIONS: self._related, Kind.OBJECTS: self._objects}
        many = {
            field.name: read[field.kind](field, keys) for field in columns if field.kind in read
        }
        return [self._row(columns, each, many) for each in found]

    def _row(
        self,
        columns: Sequence[Field],
        values: Mapping[str, Any],
        many: Mapping[str, Mapping[Any, list[dict[str, Any]]]],
    ) -> dict[str, Any]:
        row: dict[str, Any] = {"id": str(values["pk"])}
        for field in columns:
            if field.kind in MANY:
                value: Any = many[field.name].get(values["pk"])
            elif field.kind is Kind.RELATION:
                value = self.reference(field, values)
            else:
                value = scalar(values[field.attribute])
            if value not in EMPTY:
                row[field.name] = value
        return row

    def paths(self, field: Field) -> tuple[str, ...]:
        if not field.kind.is_relation:
            return (field.attribute,)
        groups = self.catalogue.label_columns(field.to)
        named = tuple(f"{field.attribute}__{name}" for group in groups for name in group)
        return (f"{field.attribute}__pk", *named)

    def reference(self, field: Field, values: Mapping[str, Any]) -> dict[str, str] | None:
        """Id and name of a single relation; the id only without a name, None where it is empty."""
        key = values[f"{field.attribute}__pk"]
        if key is None:
            return None
        for group in self.catalogue.label_columns(field.to):
            parts = [values[f"{field.attribute}__{name}"] for name in group]
            if name := " ".join(str(part) for part in parts if part):
                return {"id": str(key), "name": name}
        return {"id": str(key)}

    def _related(self, field: Field, keys: list[Any]) -> dict[Any, list[dict[str, Any]]]:
        related: dict[Any, list[dict[str, Any]]] = {}
        if keys:
            links = self._links(field)
            # From the table of links: the records themselves have been read.
            columns = {
                path: F(path.replace(field.attribute, links.theirs, 1))
                for path in self.paths(field)
            }
            of_them = links.rows.filter(**{f"{links.ours}__in": keys}).order_by()
            for link in of_them.values(links.ours, **columns):
                reference = self.reference(field, link)
                if reference is not None:
                    related.setdefault(link[links.ours], []).append(reference)
        return {key: by_name(references) for key, references in related.items()}

    def _objects(self, field: Field, keys: list[Any]) -> dict[Any, list[dict[str, Any]]]:
        """The rows that belong to each record, by the relation that points to it."""
        relation: Any = self.model._meta.get_field(field.rows)
        model, owner = relation.related_model, relation.field.attname
        names = ("id", *(part.name for part in field.parts))
        rows = model._base_manager.filter(**{f"{owner}__in": keys})
        objects: dict[Any, list[dict[str, Any]]] = {}
        for row in rows.order_by(*model._meta.ordering).values(owner, *names):
            shown = without_empty({name: scalar(row[name]) for name in names})
            objects.setdefault(row[owner], []).append(shown)
        return objects

    def _restriction(self, condition: Condition) -> Q:
        field, value = condition.field, condition.value
        if condition.custom_key:
            if condition.operator != "eq":
                raise NotAvailable("A custom field can be filtered by one value only.")
            return Q(custom_fields__contains={condition.custom_key: value})
        if field.computed or not self._has(field.attribute):
            raise NotAvailable(f"{field.name} can't be filtered.")
        if field.kind is Kind.RELATIONS:
            return self._linked(field, condition.operator, value)
        return _comparison(field, condition.operator, value)

    def _linked(self, field: Field, operator: str, value: Any) -> Q:
        # A subquery: a join would repeat a record for each match.
        links = self._links(field)
        linked = links.rows.filter(**{links.ours: OuterRef("pk")})
        if operator == "is_empty":
            return ~Q(Exists(linked)) if value else Q(Exists(linked))
        wanted = (value,) if operator == "eq" else value
        matches = Q(Exists(linked.filter(**{f"{links.theirs}__in": wanted})))
        return ~matches if operator == "not_in" else matches

    def _links(self, field: Field) -> Links:
        relation: Any = self.model._meta.get_field(field.attribute)
        return Links(
            relation.remote_field.through._base_manager.all(),
            relation.m2m_field_name(),
            relation.m2m_reverse_field_name(),
        )

    def _has(self, attribute: str) -> bool:
        return any(each.name == attribute for each in self.model._meta.get_fields())

    def _order(self, query: RowQuery) -> list[OrderBy]:
        order = []
        for field, descending in query.sort:
            if field.computed or field.kind.is_relation or not self._has(field.attribute):
                raise NotAvailable(f"{field.name} can't be sorted by.")
            name = F(field.attribute)
            order.append(name.desc(nulls_last=True) if descending else name.asc(nulls_last=True))
        return [*(order or [F(CREATED).desc()]), F("pk").asc()]


def _any(conditions: Iterable[Q]) -> Q:
    return Q(*conditions, _connector=Q.OR)


def _comparison(field: Field, operator: str, value: Any) -> Q:
    name = field.attribute
    if operator == "is_empty":
        empty = Q(**{f"{name}__isnull": True})
        if field.kind.is_text or field.kind is Kind.CHOICE:
            empty |= Q(**{name: ""})
        return empty if value else ~empty
    if operator == "not_in":
        # Django lets what has no value through.
        return ~_comparison(field, "in", value)
    if operator == "in":
        return _any(_comparison(field, "eq", each) for each in value)
    if operator == "contains":
        return Q(**{f"{name}__icontains": value})
    if operator == "eq" and (field.kind.is_text or field.kind is Kind.CHOICE):
        # A converted lead leaves the opportunity its own spelling of a source.
        return Q(**{f"{name}__iexact": value})
    return Q(**{name if operator == "eq" else f"{name}__{operator}": value})


def _moment(value: datetime) -> Any:
    try:
        return _MOMENT.to_representation(value)
    except ValidationError:
        # Beyond the year 9999 in this time zone; the other rows must not suffer from it.
        return value.isoformat()


def scalar(value: Any) -> Any:
    """A value as DRF's serializers give it, in the active time zone."""
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value
