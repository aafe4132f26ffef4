"""Access rule: what the captured lists of a view let through, as a restriction of the model.

A list without joins gives its conditions alone, so that PostgreSQL uses the model's indexes and
stops at the end of a page. Of one that joins, such as a user's with who is assigned, each
condition on a joined row becomes an EXISTS. What says more than conditions stays a subquery, so
that its joins and its `distinct()` can't falsify rows, counts or order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In, IsNull
from django.db.models.sql import Query
from django.db.models.sql.constants import INNER
from django.db.models.sql.where import AND, OR, XOR, WhereNode

from bottlecrm_mcp.gateway.in_process.expressions import HasRow


def visible_rows(
    model: type[Model],
    querysets: Sequence[QuerySet[Any]],
    ids: Sequence[Any] | None = None,
) -> QuerySet[Any]:
    """The rows of `model` that are in one of `querysets`; of these ids alone, where any are given.

    The ids go into each subquery, too, so that a known record is not looked for in a whole list.
    """
    try:
        where, *others = map(_conditions_of, querysets)
    except Entangled:
        inside = (Q(pk__in=_narrowed(each, ids).values("pk")) for each in querysets)
        rows = model._base_manager.filter(Q(*inside, _connector=Q.OR))
    else:
        for each in others:
            # What `|` does, but for the joins that it looks for.
            where.add(each, OR)
        rows = model._base_manager.all()
        rows.query.get_initial_alias()
        rows.query.where = where
        # Names that subqueries in the conditions have: within another query none is given twice.
        known = (each.query.subq_aliases for each in querysets)
        rows.query.subq_aliases = rows.query.subq_aliases.union(*known)
    return rows if ids is None else rows.filter(pk__in=ids)


class Entangled(Exception):
    """A list that is more than conditions on each row, or on what is joined to it."""


def _conditions_of(queryset: QuerySet[Any]) -> WhereNode:
    """The conditions of a list on the columns of its model alone. Raises `Entangled`.

    What is computed for the view to show is left out: a condition on it has it in itself.
    """
    query = queryset.query
    if not _has_conditions_alone(query):
        raise Entangled
    where: WhereNode = query.where.clone()
    if joins := _joins_of(query):
        _require_conditions_on_each(joins, query.chain())
        where = _without_joins(where, joins)
    return where


def _joins_of(query: Query) -> dict[str, Any]:
    """What is joined to the model's table, by alias."""
    used = (alias for alias, uses in query.alias_refcount.items() if uses)
    joins = ((alias, query.alias_map[alias]) for alias in used)
    return {alias: join for alias, join in joins if join.parent_alias}


def _has_conditions_alone(query: Query) -> bool:
    """Whether nothing but tables and conditions says which rows are in it."""
    return not (
        # By another thing than the row itself.
        query.group_by not in (None, True)
        or _compares_rows(query)
        or query.extra
        or query.extra_tables
        or query.where.contains_aggregate
        or any(getattr(each, "set_returning", False) for each in query.annotations.values())
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


def _require_conditions_on_each(joins: dict[str, Any], query: Query) -> None:
    """Raises `Entangled` unless each join is one of the row itself, for conditions alone."""
    base, named = query.get_initial_alias(), _aliases_in(query.where)
    for alias, join in joins.items():
        if join.join_type != INNER and alias not in named:
            # Joined for what is shown, and no row is left out by it.
            continue
        if (
            join.parent_alias != base
            or len(join.join_fields) != 1
            or join.filtered_relation
            or join.join_field.get_extra_restriction(alias, base)
            or (join.join_type == INNER and not _requires(query.where, alias))
        ):
            raise Entangled


def _requires(condition: Any, alias: str) -> bool:
    """Whether the condition holds only where something is joined under this alias."""
    if not isinstance(condition, WhereNode):
        return alias in _aliases_in(condition)
    if condition.negated:
        return False
    found = [_requires(each, alias) for each in condition.children]
    return any(found) if condition.connector == AND else bool(found) and all(found)


def _without_joins(node: WhereNode, joins: dict[str, Any]) -> WhereNode:
    """The conditions, each on what is joined as an EXISTS of its own. Raises `Entangled`.

    So it has to be one, or one of several: two that both have to hold may be about one joined row.
    """
    children: list[Any] = []
    seen: set[str] = set()
    for child in node.children:
        if not hasattr(child, "get_source_expressions"):
            # SQL of the host's own, which may name what is joined.
            raise Entangled
        about = _aliases_in(child) & joins.keys()
        if about and (node.negated or node.connector == XOR or about & seen):
            raise Entangled
        if node.connector == AND:
            seen |= about
        if not about:
            children.append(child)
        elif isinstance(child, WhereNode):
            children.append(_without_joins(child, joins))
        else:
            children.append(_has_joined(child, joins))
    return node.create(children, node.connector, node.negated)


def _has_joined(condition: Any, joins: dict[str, Any]) -> HasRow:
    """Whether a row is joined for which this holds: not where it could hold of none."""
    column = getattr(condition, "lhs", None)
    is_plain = isinstance(condition, Exact | In) or (
        isinstance(condition, IsNull) and not condition.rhs
    )
    if not is_plain or not isinstance(column, Col) or len(_aliases_in(condition)) > 1:
        raise Entangled
    join = joins[column.alias]
    ((own, theirs),) = join.join_fields
    return HasRow(Col(join.parent_alias, own), theirs, column.alias, condition)


def _aliases_in(condition: Any) -> set[str]:
    """The tables that it names, also from within a subquery."""
    query: Any = Query
    return {each.alias for each in query._gen_cols([condition], include_external=True)}
