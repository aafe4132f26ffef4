"""Access rule: what the captured lists of a view let through, as a restriction of the model.

A list that joins nothing gives its conditions alone, so that PostgreSQL uses the model's indexes
and stops at the end of a page. One that joins stays a subquery, so that its joins and its
`distinct()` can't falsify rows, counts or order; what needs ids alone is asked of its joins.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.db.models.sql import Query


def visible_rows(
    model: type[Model],
    querysets: Sequence[QuerySet[Any]],
    ids: Sequence[Any] | None = None,
) -> QuerySet[Any]:
    """The rows of `model` that are in one of `querysets`; of these ids alone, where any are given.

    The ids go into each subquery, too, so that a known record is not looked for in a whole list.
    """
    if all(_joins_nothing(each.query) for each in querysets):
        rows = reduce(or_, (_conditions_of(model, each) for each in querysets))
        return rows if ids is None else rows.filter(pk__in=ids)
    inside = (Q(pk__in=_narrowed(each, ids).values("pk")) for each in querysets)
    rows = model._base_manager.filter(Q(*inside, _connector=Q.OR))
    return rows if ids is None else rows.filter(pk__in=ids)


def joined_rows(model: type[Model], querysets: Sequence[QuerySet[Any]]) -> QuerySet[Any] | None:
    """The rows of lists that join, as one query with their joins; None where they aren't such.

    A row may come several times. Where it is asked for in some order and without repetition,
    PostgreSQL reads the first ones off an index; a subquery it would evaluate whole.
    """
    queries = [each.query for each in querysets]
    if all(map(_joins_nothing, queries)) or not all(map(_may_be_merged, queries)):
        return None
    return reduce(or_, (_conditions_of(model, each) for each in querysets))


def _may_be_merged(query: Query) -> bool:
    """Whether a row is in it by conditions on itself and on what is joined to it."""
    return _has_conditions_alone(query) and not query.annotations


def _has_conditions_alone(query: Query) -> bool:
    """Whether nothing but tables and conditions says which rows are in it."""
    return not (
        query.group_by is not None
        or _compares_rows(query)
        or query.extra
        or query.extra_tables
        or query.where.contains_aggregate
    )


def _narrowed(queryset: QuerySet[Any], ids: Sequence[Any] | None) -> QuerySet[Any]:
    # In another order, or among fewer rows, another one would be the first of its kind.
    if _compares_rows(queryset.query):
        return queryset
    unordered = queryset.order_by()
    return unordered if ids is None else unordered.filter(pk__in=ids)


def _compares_rows(query: Query) -> bool:
    """Whether a row is in it or not because of other rows."""
    return bool(
        query.distinct_fields
        or query.where.contains_over_clause
        or query.is_sliced
        or query.combinator
    )


def _joins_nothing(query: Query) -> bool:
    """Whether each row of the model's table is in it once or not at all, by conditions alone."""
    tables = [alias for alias, uses in query.alias_refcount.items() if uses]
    computed = query.annotations.values()
    return (
        len(tables) <= 1
        and _has_conditions_alone(query)
        and not any(getattr(each, "set_returning", False) for each in computed)
    )


def _conditions_of(model: type[Model], queryset: QuerySet[Any]) -> QuerySet[Any]:
    rows = model._base_manager.all()
    rows.query = queryset.query.chain()
    rows.query.clear_ordering(force=True)
    rows.query.select_related = False
    # Without joins no row comes twice, and who asks for rows with joins sees to it.
    rows.query.distinct = False
    return rows
