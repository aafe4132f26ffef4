"""What many tests begin with: made by Django for one of them, and put back by the database for the
others, each time with ids of its own."""

import json
import pickle
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from io import BytesIO
from time import time
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

from django.apps import apps
from django.db import connection, transaction

from demo_crm.access.row_security import org_context
from demo_crm.models import Org, Profile

# Dates in it are relative to the day, and nowhere does a day end within a quarter of an hour.
SECONDS_KEPT = 15 * 60
ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SET_ORG = "SELECT set_config('app.current_org', %s, false)"
INSERT = "INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s)"

Answer = TypeVar("Answer")
# Of a table, each in JSON, in the order in which they were made.
Rows = dict[str, list[str]]


class Kept(NamedTuple):
    """A query and its values to insert the rows, and the pickled answer."""

    query: str
    values: list[str]
    answer: bytes
    ids: set[str]
    given: list[str]


_kept: dict[Any, Kept] = {}


def kept(make: Callable[..., Answer], *people: Profile) -> Answer:
    """`make(*people)`, whose rows and answer depend on no more than what people are called."""
    quarter = int(time()) // SECONDS_KEPT
    called = [(each.user.email, each.org.name, each.org.timezone) for each in people]
    key = (make, quarter, *called)
    given = [each for person in people for each in (person, person.user, person.org)]
    if key in _kept:
        return _put_back(_kept[key], given)
    before = _visible()
    answer = make(*people)
    _kept[key] = _keep(_new(before, _visible()), answer, given)
    return answer


def _visible() -> dict[str, Rows]:
    """Every row that is seen without an organisation, and in each organisation, by its id."""
    tables = [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    query = " UNION ALL ".join(
        f"SELECT '{each}', row_to_json(r)::text FROM {each} r" for each in tables
    )
    seen: dict[str, Rows] = {}
    for org in (None, *Org.objects.all()):
        rows = seen.setdefault(str(org.pk) if org else "", {})
        with org_context(org) if org else nullcontext(), connection.cursor() as cursor:
            cursor.execute(query)
            for table, row in cursor.fetchall():
                rows.setdefault(table, []).append(row)
    return seen


def _new(before: dict[str, Rows], after: dict[str, Rows]) -> dict[str, Rows]:
    """Those that were not there before, each once."""
    known = {row for rows in before.values() for each in rows.values() for row in each}
    new: dict[str, Rows] = {}
    for org, rows in after.items():
        found = {table: [row for row in each if row not in known] for table, each in rows.items()}
        new[org] = {table: each for table, each in found.items() if each}
        known |= {row for each in new[org].values() for row in each}
    return new


def _keep(rows: dict[str, Rows], answer: Any, given: list[Any]) -> Kept:
    steps: list[tuple[str, str]] = []
    for org, tables in rows.items():
        steps.append((SET_ORG, org))
        steps += [(INSERT.format(table), f"[{','.join(each)}]") for table, each in tables.items()]
    steps.append((SET_ORG, ""))
    made = (json.loads(row) for tables in rows.values() for each in tables.values() for row in each)
    ids = {row["id"] for row in made if isinstance(row["id"], str)}
    ids_given = [str(each.pk) for each in given]
    file = BytesIO()
    _Pickler(file, given, ids | set(ids_given)).dump(answer)
    query = "; ".join(statement for statement, _ in steps)
    values = [value for _, value in steps]
    return Kept(query, values, file.getvalue(), ids, ids_given)


def _put_back(kept: Kept, given: list[Any]) -> Any:
    ids = {each: str(uuid4()) for each in kept.ids}
    ids |= zip(kept.given, (str(each.pk) for each in given), strict=True)
    values = [ID.sub(lambda found: ids.get(found[0], found[0]), each) for each in kept.values]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(kept.query, values)
    return _Unpickler(kept.answer, given, ids).load()


class _Pickler(pickle.Pickler):
    """Leaves open what differs each time: the objects that are given, and the ids."""

    def __init__(self, file: BytesIO, given: Iterable[Any], ids: set[str]) -> None:
        super().__init__(file)
        self.given = {id(each): number for number, each in enumerate(given)}
        self.ids = ids

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, UUID):
            return str(value) if str(value) in self.ids else None
        return self.given.get(id(value))


class _Unpickler(pickle.Unpickler):
    def __init__(self, answer: bytes, given: list[Any], ids: Mapping[str, str]) -> None:
        super().__init__(BytesIO(answer))
        self.given, self.ids = given, ids

    def persistent_load(self, value: Any) -> Any:
        return self.given[value] if isinstance(value, int) else UUID(self.ids[value])
