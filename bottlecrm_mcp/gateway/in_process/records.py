"""Queries on the entity's own manager, restricted to the rows that the caller may see.

The captured querysets are an access rule only: what was asked for runs on the model's base manager.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache, cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, Model, OrderBy, OuterRef, Q, QuerySet
from django.db.models.expressions import Col
from django.db.models.functions import JSONObject
from django.db.models.sql.where import AND
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import DateTimeField

from bottlecrm_mcp.catalogue.model import (
    CREATED,
    CUSTOM_FIELDS,
    Catalogue,
    Entity,
    Field,
    Kind,
)
from bottlecrm_mcp.gateway.base import (
    MOST_COUNTED,
    Condition,
    NotAvailable,
    Page,
    RowQuery,
    each_condition,
)
from bottlecrm_mcp.gateway.in_process import expressions
from bottlecrm_mcp.gateway.in_process.access_rule import visible_rows
from bottlecrm_mcp.gateway.in_process.expressions import HasRow
from bottlecrm_mcp.gateway.in_process.statements import Read
from bottlecrm_mcp.gateway.shared import folding
from bottlecrm_mcp.gateway.shared.rows import EMPTY, by_name, without_empty

ORG = "org"
# Of what is spelled alike, so many are looked at, the likeliest or newest.
MOST_LOOKED_AT = 200
MOST_REFERRED = 20
# A row of a many-to-many relation, in SQL.
LINK = "link"

# What a record has several of.
MANY = (Kind.RELATIONS, Kind.OBJECTS)

_MOMENT = DateTimeField()


class Links(NamedTuple):
    """The rows of a many-to-many relation, and their fields: whose they are, and to what."""

    rows: QuerySet[Any]
    ours: Any
    theirs: Any


def links_of(model: type[Model], attribute: str) -> Links:
    """The rows of the many-to-many relation that this attribute of the model stands for."""
    relation: Any = model._meta.get_field(attribute)
    # Of the other side of a many-to-many field, the field itself.
    declared = relation.field if relation.auto_created else relation
    through = declared.remote_field.through
    names = (declared.m2m_field_name(), declared.m2m_reverse_field_name())
    ends = [through._meta.get_field(name) for name in names]
    ours, theirs = reversed(ends) if relation.auto_created else ends
    return Links(through._base_manager.all(), ours, theirs)


class Records:
    """The records of one model that the caller may see; of these ids alone, where any are given.

    The value of a condition `related` is the queryset of those that the relation may point to.
    """

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
        self._querysets, self._org_id, self._ids = querysets, org_id, ids
        # Already so by the captured querysets and by row-level security; but its policy compares
        # text, and only this lets PostgreSQL use the organisation's index.
        self._own = org_id if org_id and self._has_column(ORG) else ""
        self.queryset = self._owned(visible_rows(model, querysets, ids))

    def _owned(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows, which nobody else has, narrowed to the caller's organisation."""
        if self._own:
            # As `filter` does, which takes five times as long to find out the same.
            org: Any = self.model._meta.get_field(ORG)
            column = org.get_col(rows.query.get_initial_alias())
            rows.query.where.add(org.get_lookup("exact")(column, self._own), AND)
        return rows

    def of(self, ids: Sequence[str]) -> Records:
        """Those of these ids, by the same lists."""
        if self._ids == ids:
            return self
        return Records(self.catalogue, self.model, self._querysets, self._org_id, ids)

    def page(self, query: RowQuery, entity: Entity) -> Page:
        """The rows of a search. Raises `NotAvailable` for columns that lists don't have."""
        for field in query.columns:
            if self._is_property(field):
                continue
            if field.computed or not (field.listed or field.custom_key):
                raise NotAvailable(f"{field.name} is not in lists; crm_get shows it.")
        read = Read(self.matching(query, entity))
        window = (query.offset, query.offset + query.limit)
        found = self._read(read, query.columns, self._order(query), window)
        if not query.offset and len(found) < query.limit:
            few = (query.alike or query.query) and len(found) < query.similar
            similar = self._similar(query, entity, found) if few else ()
            return Page(found, len(found), similar=similar)
        if not query.counted:
            return Page(found, len(found), more=True)
        if query.exact:
            return Page(found, read.rows.order_by().count())
        most = max(MOST_COUNTED, query.offset + query.limit)
        total = read.count(most + 1)
        return Page(found, min(total, most), more=total > most)

    def matching(self, query: RowQuery, entity: Entity) -> QuerySet[Any]:
        """The records that a search is about."""
        # One filter: each more would copy those before it.
        conditions = [self._holds(query.query, entity)] if query.query else []
        conditions += map(self._restriction, query.conditions)
        if query.either:
            conditions.append(
                expressions.any_of(Q(*map(self._restriction, each)) for each in query.either)
            )
        rows = _with_custom(self.queryset, _custom_of(query))
        return rows.filter(*conditions) if conditions else rows

    def _holds(self, text: str, entity: Entity) -> Q:
        """Whether every word is in one of the entity's fields, or a phone number is this one."""
        held = _hold(entity.search_fields, folding.words_of(text))
        if folding.phone_digits(text):
            for field in entity.fields:
                if field.kind is Kind.PHONE:
                    held |= expressions.holds_phone(field.attribute, text)
        return held

    def _similar(
        self, query: RowQuery, entity: Entity, found: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Rows that hold words which are spelled like these, the likeliest first."""
        words = folding.words_of(query.alike or query.query)
        if not any(map(folding.can_be_misspelled, words)):
            return []
        names = list(entity.search_fields)
        held = expressions.haystack(names)
        others = self.matching(replace(query, query="", either=()), entity).annotate(haystack=held)
        maybe = others.filter(*(expressions.may_hold("haystack", word) for word in words))
        known = [row["id"] for row in found]
        order: list[Any] = self._order(query)
        if expressions.has_trigrams():
            order = [expressions.similarity(" ".join(words), F("haystack")).desc(), *order]
        candidates = maybe.exclude(pk__in=known).order_by(*order)[:MOST_LOOKED_AT]
        distances = {
            key: distance
            for key, text in candidates.values_list("pk", "haystack")
            if (distance := folding.distance_to(text, words)) is not None
            # What holds the words of `alike` as they are is not only spelled like them.
            and (distance or not query.alike)
        }
        nearest = sorted(distances, key=lambda key: distances[key])[: query.similar - len(found)]
        chosen = _with_custom(self.queryset, _custom_of(query)).filter(pk__in=nearest)
        rows = self.rows(chosen, query.columns)
        places = {str(key): place for place, key in enumerate(nearest)}
        return sorted(rows, key=lambda row: places[row["id"]])

    def referred(self, field: Field, wanted: str, *, by_id: bool) -> list[dict[str, str]]:
        """What this relation of the records points to: of this id, or with a name of these words.

        Only as a record shows it: by its id and what it is called. People also by their e-mail.
        """
        pk, *names = self.paths(field)
        words = folding.words_of(wanted)
        held = Q(**{pk: wanted}) if by_id else _hold(names, words)
        found = self.queryset.filter(held, **{f"{field.attribute}__isnull": False})
        rows = found.order_by(*names, pk).values(pk, *names).distinct()[:MOST_REFERRED]
        references = [each for row in rows if (each := self.reference(field, row)) is not None]
        if by_id or self.catalogue.own_id_of(field.to):
            return references
        # Another name of it, such as the e-mail of a contact with a name, is not shown.
        return [
            each
            for each in references
            if all(word in folding.folded(each.get("name", "")) for word in words)
        ]

    def rows(self, rows: QuerySet[Any], columns: Sequence[Field]) -> list[dict[str, Any]]:
        """These columns of the rows, in their order."""
        return self._read(Read(rows), columns)

    def all_rows(self, columns: Sequence[Field]) -> list[dict[str, Any]]:
        """These columns of all of them. Reading them again compiles no condition again."""
        return self._read(self._read_of_all, columns)

    @cached_property
    def _read_of_all(self) -> Read:
        return Read(self.queryset)

    def _read(
        self,
        read: Read,
        columns: Sequence[Field],
        order: Sequence[OrderBy] = (),
        window: tuple[int, int] | None = None,
    ) -> list[dict[str, Any]]:
        computed = [field for field in columns if self._is_property(field)]
        columns = [field for field in columns if field not in computed]
        singles = [field for field in columns if field.kind not in MANY]
        paths = [path for field in singles for path in self.paths(field)]
        # What the model computes with: its own columns.
        stored = [each.attname for each in self.model._meta.concrete_fields] if computed else []
        names = ("pk", *dict.fromkeys((*paths, *stored)))
        lists = [field for field in columns if field.kind is Kind.RELATIONS]

        def build() -> QuerySet[Any]:
            rows = read.rows.order_by(*order) if order else read.rows
            related = {_list_of(field): self._related(field) for field in lists}
            return rows[slice(*window) if window else slice(None)].values(*names, **related)

        shown = tuple((_list_of(field), self.paths(field)) for field in lists)
        ordered = tuple((repr(each.expression), each.descending) for each in order)
        found = read.values((names, shown, ordered, window), build)
        shown_rows = self._rows(columns, found)
        if not computed:
            return shown_rows
        records = [
            self.model.from_db(read.rows.db, stored, [row[name] for name in stored])
            for row in found
        ]
        _ask_once(records, {field.asks for field in computed})
        return [
            {**row, **self._properties(computed, record)}
            for row, record in zip(shown_rows, records, strict=True)
        ]

    def _is_property(self, field: Field) -> bool:
        """Whether the model computes this itself."""
        return field.computed and isinstance(getattr(self.model, field.attribute, None), property)

    def _properties(self, fields: Sequence[Field], record: Any) -> dict[str, Any]:
        return without_empty(
            {each.name: scalar(getattr(record, each.attribute, None)) for each in fields}
        )

    def _rows(
        self, columns: Sequence[Field], found: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        keys = [each["pk"] for each in found]
        objects = {
            field.name: self._objects(field, keys)
            for field in columns
            if field.kind is Kind.OBJECTS
        }
        return [self._row(columns, each, objects) for each in found]

    def _row(
        self,
        columns: Sequence[Field],
        values: Mapping[str, Any],
        objects: Mapping[str, Mapping[Any, list[dict[str, Any]]]],
    ) -> dict[str, Any]:
        row: dict[str, Any] = {"id": str(values["pk"])}
        for field in columns:
            if field.kind is Kind.OBJECTS:
                value: Any = objects[field.name].get(values["pk"])
            elif field.kind is Kind.RELATIONS:
                references = (self.reference(field, each) for each in values[_list_of(field)])
                value = by_name(filter(None, references))
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

    def _related(self, field: Field) -> ArraySubquery:
        """What each record is linked to, in the same statement as the record."""
        links = links_of(self.model, field.attribute)
        columns = {
            path: F(path.replace(field.attribute, links.theirs.name, 1))
            for path in self.paths(field)
        }
        of_it = links.rows.filter(**{links.ours.name: OuterRef("pk")}).order_by()
        return ArraySubquery(of_it.values(reference=JSONObject(**columns)))

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
        field, operator, value = condition.field, condition.operator, condition.value
        if operator == "any":
            return expressions.any_of(Q(*map(self._restriction, each)) for each in value)
        if field.computed or not self._has(field):
            raise NotAvailable(f"{field.name} can't be filtered.")
        if operator == "related":
            value = value.values("pk")
        if field.also:
            # The relation holds where it does in either of its forms.
            forms = (replace(field, also=None), field.also)
            if operator == "not_in" or (operator == "is_empty" and value):
                return Q(*(self._restriction(replace(condition, field=each)) for each in forms))
            return expressions.any_of(
                self._restriction(replace(condition, field=each)) for each in forms
            )
        if operator == "not_in":
            held = self._restriction(replace(condition, operator="in"))
            if field.kind is Kind.RELATIONS:
                return ~held
            return ~held | Q(**{f"{field.attribute}__isnull": True})
        if field.kind is Kind.RELATIONS:
            return self._linked(field, operator, value)
        return _comparison(field, operator, value)

    def _linked(self, field: Field, operator: str, value: Any) -> Q:
        # A subquery: a join would repeat a record for each match.
        links = links_of(self.model, field.attribute)
        if operator == "is_empty":
            linked = Q(HasRow(F("pk"), links.ours, LINK))
            return ~linked if value else linked
        if operator == "related":
            wanted = {f"{links.theirs.name}__in": value}
            return Q(Exists(links.rows.filter(**{links.ours.name: OuterRef("pk")}, **wanted)))
        ids = [value] if operator == "eq" else list(value)
        held = links.theirs.get_lookup("in")(Col(LINK, links.theirs), ids)
        return Q(HasRow(F("pk"), links.ours, LINK, held))

    def holding(self, conditions: Iterable[Condition]) -> Q:
        return Q(*map(self._restriction, conditions))

    def _has(self, field: Field) -> bool:
        if field.custom_key:
            return self._has_column(CUSTOM_FIELDS)
        return self._has_column(field.attribute)

    def _has_column(self, attribute: str) -> bool:
        return any(each.name == attribute for each in self.model._meta.get_fields())

    def _order(self, query: RowQuery) -> list[OrderBy]:
        order = []
        for field, descending in query.sort:
            if field.computed or field.kind.is_relation or not self._has(field):
                raise NotAvailable(f"{field.name} can't be sorted by.")
            name = F(field.attribute)
            order.append(name.desc(nulls_last=True) if descending else name.asc(nulls_last=True))
        return [*(order or [F(CREATED).desc()]), F("pk").asc()]


def _with_custom(rows: QuerySet[Any], fields: Iterable[Field]) -> QuerySet[Any]:
    """The rows with these custom fields as columns of their own."""
    values = {
        each.attribute: expressions.custom_value(CUSTOM_FIELDS, each.custom_key, each.kind)
        for each in fields
    }
    return rows.annotate(**values) if values else rows


def _list_of(field: Field) -> str:
    """The column that holds the references of a relation to many."""
    return f"{field.name}_references"


def _hold(names: Iterable[str], words: Iterable[str]) -> Q:
    """Whether every word is in one of these columns."""
    columns = tuple(names)
    return Q(*(expressions.any_holds(columns, word) for word in words))


def _custom_of(query: RowQuery) -> set[Field]:
    """The custom fields that a search is about."""
    either = (condition for each in query.either for condition in each)
    conditions = each_condition((*query.conditions, *either))
    fields = [*query.columns, *(each.field for each in conditions)]
    return {each for each in (*fields, *(field for field, _ in query.sort)) if each.custom_key}


def _comparison(field: Field, operator: str, value: Any) -> Q:
    name = field.attribute
    if operator == "is_empty":
        empty = Q(**{f"{name}__isnull": True})
        if field.kind.is_text or field.kind is Kind.CHOICE:
            empty |= Q(**{name: ""})
        return empty if value else ~empty
    if operator == "related" or (operator == "in" and field.kind.is_relation):
        return Q(**{f"{name}__in": value})
    is_spelled = field.kind is Kind.CHOICE or (field.kind.is_text and field.kind is not Kind.PHONE)
    if is_spelled and operator in ("eq", "in"):
        return _is_one_of(field, [value] if operator == "eq" else value)
    if operator == "in":
        return expressions.any_of(_comparison(field, "eq", each) for each in value)
    if operator == "outside":
        first, last = value
        return (
            Q(**{f"{name}__lt": first})
            | Q(
                **{
                    f"{name}__gt": last,
                }
            )
            | Q(**{f"{name}__isnull": True})
        )
    if field.kind is Kind.PHONE:
        same = expressions.is_phone if operator == "eq" else expressions.holds_phone
        return same(name, value)
    if operator == "contains":
        return expressions.holds_text(name, value)
    return Q(**{name if operator == "eq" else f"{name}__{operator}": value})


def _is_one_of(field: Field, values: Sequence[str]) -> Q:
    if not values:
        return expressions.any_of(())
    if field.kind.is_text:
        return expressions.is_text(field.attribute, values)
    if field.custom_key or not all(map(str.isascii, values)):
        return expressions.any_of(Q(**{f"{field.attribute}__iexact": each}) for each in values)
    # In any case: a converted lead leaves the opportunity its own spelling of a source.
    return Q(expressions.InAnyCase(F(field.attribute), values))


def _ask_once(records: Iterable[Model], methods: Iterable[str]) -> None:
    """Let records of one organisation share what each would be told by these of their methods."""
    for name in methods:
        shared: Any = None
        for record in records:
            if (own := getattr(record, name, None)) is not None:
                shared = shared or cache(own)
                setattr(record, name, shared)


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
