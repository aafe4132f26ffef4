"""Dependents: the rows that go with a record, as Django's relations tell.

Foreign keys that cascade are followed all the way down, and so are generic ones: what a record has
of those nobody finds again without it. Links of many-to-many fields are not rows of their own here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db.models import CASCADE, CharField, ManyToOneRel, Model, Q, TextField
from django.db.models.expressions import RawSQL

from bottlecrm_mcp.gateway.base import Dependents

# More are not looked through for one confirmation.
MOST = 10_000
MOST_NAMED = 10

# PostgreSQL's own version of a row: it is another one after each change, whoever makes it.
VERSION = RawSQL("xmin::text", ())


def dependents_of(
    model: type[Model], record_id: str, name_of: Callable[[type[Model]], str]
) -> Dependents:
    """What goes with a record now, by `name_of` its models; incomplete beyond `MOST` rows."""
    found: dict[type[Model], dict[str, str]] = {}
    level: list[tuple[type[Model], Iterable[Any]]] = [(model, [record_id])]
    left = MOST
    while level and left >= 0:
        below: list[tuple[type[Model], Iterable[Any]]] = []
        for parent, keys in level:
            for child, pointing in _children(parent, keys):
                known = found.setdefault(child, {})
                rows = child._base_manager.filter(pointing).order_by()
                new = [
                    (key, version)
                    for key, version in rows.values_list("pk", VERSION)[: left + 1]
                    if str(key) not in known
                ]
                known.update((str(key), version) for key, version in new)
                left -= len(new)
                if new:
                    below.append((child, [key for key, _ in new]))
        level = below
    counts: dict[str, int] = {}
    for child, rows_of_child in found.items():
        if rows_of_child:
            counts[name_of(child)] = counts.get(name_of(child), 0) + len(rows_of_child)
    return Dependents(
        dict(sorted(counts.items())),
        _digest(found),
        is_complete=left >= 0,
        named=_named(model, record_id, name_of, found),
    )


def _named(
    model: type[Model],
    record_id: str,
    name_of: Callable[[type[Model]], str],
    found: Mapping[type[Model], Any],
) -> dict[str, list[str]]:
    """Some of what is kept with a record of any kind: the text of a comment, say.

    Whoever sees the record sees those.
    """
    named = {
        name_of(child): [
            str(row) for row in child._base_manager.filter(pointing).order_by("pk")[:MOST_NAMED]
        ]
        for child, pointing in _kept_with(model, [record_id])
        if found.get(child)
    }
    return {name: texts for name, texts in named.items() if texts}


def plural_name(model: type[Model]) -> str:
    """What the host calls rows of a model; Django by itself only adds an s."""
    meta = model._meta
    if "verbose_name_plural" in meta.original_attrs:
        return str(meta.verbose_name_plural).lower()
    name = str(meta.verbose_name).lower()
    if re.search(r"[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search(r"(s|x|z|ch|sh)$", name) else f"{name}s"


def part_version(
    model: type[Model],
    record_id: str,
    part: str,
    name_of: Callable[[type[Model]], str],
    *,
    lock: bool,
) -> str:
    """The version of one row of those that go with a record, and of what goes with that one.

    On request it is locked. Empty where there is no such row.
    """
    level: list[tuple[type[Model], Iterable[Any]]] = [(model, [record_id])]
    seen: set[type[Model]] = set()
    while level:
        below: list[tuple[type[Model], Iterable[Any]]] = []
        for child, pointing in (each for parent in level for each in _children(*parent)):
            rows = child._base_manager.filter(pointing).order_by()
            if type(child._meta.pk) is type(model._meta.pk):
                found = rows.filter(pk=part)
                locked = found.select_for_update(of=("self",)) if lock else found
                for version in locked.values_list(VERSION, flat=True):
                    return f"{version} {dependents_of(child, part, name_of).digest}"
            if child not in seen:
                seen.add(child)
                below.append((child, rows.values_list("pk", flat=True)[:MOST]))
        level = below
    return ""


def _children(parent: type[Model], keys: Iterable[Any]) -> Iterator[tuple[type[Model], Q]]:
    """The models whose rows go with rows of `parent`, and what those with these keys are."""
    for relation in parent._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ManyToOneRel) or relation.on_delete is not CASCADE:
            continue
        child = relation.related_model
        if not child._meta.auto_created:
            yield child, Q(**{f"{relation.field.name}__in": keys})
    yield from _kept_with(parent, keys)


def _kept_with(parent: type[Model], keys: Iterable[Any]) -> Iterator[tuple[type[Model], Q]]:
    """The same of what points to records of any kind."""
    for child in apps.get_models():
        for field in child._meta.private_fields:
            if isinstance(field, GenericForeignKey) and _may_point_to(parent, child, field):
                kind = ContentType.objects.get_for_model(parent)
                yield child, Q(**{field.ct_field: kind, f"{field.fk_field}__in": keys})


def _may_point_to(parent: type[Model], child: type[Model], field: GenericForeignKey) -> bool:
    """Whether the column can hold keys of these rows; one of numbers holds no UUID."""
    column = child._meta.get_field(field.fk_field)
    return isinstance(column, CharField | TextField | type(parent._meta.pk))


def _digest(found: dict[type[Model], dict[str, str]]) -> str:
    digest = hashlib.sha256()
    for model in sorted(found, key=lambda each: each._meta.label):
        for key, version in sorted(found[model].items()):
            digest.update(f"{model._meta.label} {key} {version}\n".encode())
    return digest.hexdigest()[:16]
