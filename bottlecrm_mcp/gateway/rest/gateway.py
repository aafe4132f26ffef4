"""REST gateway: the CRM over its API, as the person whose token the connection carries.

What the list of an entity can't do by itself is done here in memory, over at most `MOST_RECORDS`
records that are read page by page. There are no transactions: a write that fails may have done a
part of its work.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from bottlecrm_mcp.catalogue.model import (
    CREATED,
    CURRENCY,
    Catalogue,
    Effect,
    Entity,
    Field,
    Included,
    Kind,
)
from bottlecrm_mcp.gateway.base import (
    Caller,
    Condition,
    EarlierWrite,
    GatewayError,
    LiveField,
    NotAvailable,
    Page,
    Refused,
    Reply,
    RowQuery,
    Subject,
    Summary,
    SummaryQuery,
    Watched,
    WriteKey,
    each_condition,
    page_or_reason,
)
from bottlecrm_mcp.gateway.rest.connection import Connection
from bottlecrm_mcp.gateway.rest.created_records import CreatedRecords
from bottlecrm_mcp.gateway.rest.labels import Labels
from bottlecrm_mcp.gateway.rest.one_call import OneCall
from bottlecrm_mcp.gateway.shared import in_memory, progress, unpaged_list
from bottlecrm_mcp.gateway.shared.rest_query import first_alternative, rest_page, takes
from bottlecrm_mcp.gateway.shared.rows import dig, row_of
from bottlecrm_mcp.gateway.shared.unpaged_list import newest

MOST_RECORDS = 2_000
PAGE = 200
AT_ONCE = 4
# Many a client gives up after a minute.
CALL_SECONDS = 50
NO_KEYS = GatewayError(
    "not_supported",
    "The CRM's REST API can't recognise repeated calls; its own /mcp endpoint can. Leave out "
    "idempotency_key. Nothing was changed.",
)


class RestGateway:
    """The CRM at the other end of a connection; one for all calls of a caller."""

    def __init__(
        self, catalogue: Catalogue, caller: Caller, connection: Connection | OneCall
    ) -> None:
        self.catalogue = catalogue
        self.caller = caller
        self.connection = connection
        self._created_records = CreatedRecords(caller, self.read)
        self._labels = Labels(catalogue, caller, self.read)
        self._until = time.monotonic() + CALL_SECONDS

    def __repr__(self) -> str:
        return f"<RestGateway to {self.connection.base_url}>"

    def for_one_call(self) -> RestGateway:
        """The same gateway, which asks the CRM once for what a call needs more than once.

        What a call creates is told apart from what earlier calls created.
        """
        gateway = RestGateway(self.catalogue, self.caller, OneCall(self.connection))
        gateway._created_records = self._created_records
        return gateway

    def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Reply:
        return self.connection.read(path, parameters)

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        subject: Subject | None = None,
        key: WriteKey | None = None,
        watched: Iterable[Watched | None] = (),
        effects: Iterable[Effect] = (),
    ) -> Reply:
        if key is not None:
            raise NO_KEYS
        started = self._created_records.now()
        sent = body if body or method != "DELETE" else None
        reply, answered = self.connection.write(method, path, sent)
        if subject is None or subject.record_id or not reply.ok:
            return reply
        entity = subject.entity
        return self._created_records.identified(entity, body or {}, reply, answered, started)

    def refused_deletion(self, path: str, body: Mapping[str, Any] | None = None) -> None:
        # There is no asking without doing.
        return None

    def watch(self, entity: Entity, record_id: str, *, with_dependents: bool = False) -> None:
        # Between two requests anything may happen.
        return None

    def watch_part(self, entity: Entity, record_id: str, part_id: str) -> None:
        return None

    def written_before(self, entity: Entity, key: WriteKey) -> EarlierWrite | None:
        raise NO_KEYS

    def writes_under(self, entity: Entity, key: str) -> Mapping[str, EarlierWrite]:
        raise NO_KEYS

    def seconds_left(self) -> float:
        return self._until - time.monotonic()

    def give_up(self) -> None:
        """Begin with no more of several records: nobody waits for the answer."""
        self._until = 0

    def page(self, entity: Entity, query: RowQuery) -> Page:
        if not entity.paged:
            return unpaged_list.page(self.read, entity, query)
        if query.either:
            return first_alternative(lambda narrowed: self.page(entity, narrowed), query)
        plan = plan_search(entity, query)
        if plan.is_complete and _is_in_order(entity, query):
            page = rest_page(self.read, entity, _newest_asked_for(entity, query))
            return replace(page, rows=self._labels.filled_in(query.columns, page.rows))
        if plan.is_complete and not query.sort:
            return self._in_default_order(entity, query, plan)
        return self._in_memory(entity, query, plan)

    def pages(
        self, searches: Sequence[tuple[Entity, RowQuery]]
    ) -> list[Page | NotAvailable | Refused]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda search: page_or_reason(self.page, *search), searches))

    def summarize(self, entity: Entity, query: SummaryQuery) -> Summary:
        if not entity.paged:
            return unpaged_list.summarize(self.read, entity, query, self.caller)
        plan = plan_search(entity, RowQuery((), conditions=query.conditions))
        if plan.is_complete and not query.groupings and _counts_only(query):
            total = self._first(entity, plan, (), 1).total
            return Summary([], 0, [{"count": total}])
        measured = [field for each in query.measures for field in (each.field, each.until) if field]
        shared = each_condition(held for each in query.measures for held in each.holds)
        measured += [each.field for each in shared]
        opened = (held.field for each in query.groupings for held in each.holds)
        grouped = [each.field for each in query.groupings if not each.holds and not each.through]
        grouped += opened
        currency = (each for each in entity.fields if each.name == CURRENCY and each.listed)
        rows = self._rows(entity, plan, [*grouped, *measured, *currency])
        return in_memory.summarize(rows, query, self.caller.zone)

    def referred(
        self, entity: Entity, field: Field, wanted: str, *, by_id: bool
    ) -> Sequence[Mapping[str, str]]:
        return ()

    def find(
        self, entity: Entity, ids: Sequence[str], columns: Sequence[Field]
    ) -> Mapping[str, Mapping[str, Any]]:
        if not entity.paged:
            return unpaged_list.find(self.read, entity, ids, columns)
        # The lists can't be asked for ids; the record's own path can.
        details = {each: self.read(entity.record_path(each)) for each in ids}
        records = (dig(reply.data, entity.detail_key) for reply in details.values() if reply.ok)
        rows = [row_of(columns, each) for each in records if isinstance(each, Mapping)]
        return {row["id"]: row for row in self._labels.filled_in(columns, rows)}

    def finds(self, field: Field) -> bool:
        return field.listed and not field.computed

    def attached(self, entity: Entity, record_id: str, part: Included) -> None:
        return None

    def live_fields(self, entity: Entity, *, update: bool) -> Mapping[str, LiveField] | None:
        return None

    def _in_default_order(self, entity: Entity, query: RowQuery, plan: Plan) -> Page:
        """Newest first, where the list has an order of its own and few records."""
        order = newest(entity)
        columns = (*query.columns, *(field for field, _ in order))
        first = self._first(entity, plan, columns, PAGE)
        if first.total <= len(first.rows):
            rows = self._labels.filled_in(query.columns, first.rows)
            return _window(rows, order, query)
        end = query.offset + query.limit
        if end <= len(first.rows):
            asked_for = unpaged_list.only(query.columns, first.rows[query.offset : end])
            page = replace(first, rows=asked_for)
        else:
            page = rest_page(self.read, entity, query)
        return replace(
            page,
            rows=self._labels.filled_in(query.columns, page.rows),
            limits=(
                f"These {page.total} {entity.name} come in the CRM's own order, not newest first. "
                "Filter by created_at, or sort by -created_at, which reads them all.",
            ),
        )

    def _in_memory(self, entity: Entity, query: RowQuery, plan: Plan) -> Page:
        order = query.sort or newest(entity)
        rows = self._rows(entity, plan, [*query.columns, *(field for field, _ in order)])
        return _window(rows, order, query)

    def _rows(
        self, entity: Entity, plan: Plan, columns: Iterable[Field]
    ) -> Sequence[Mapping[str, Any]]:
        """Every row that matches, with at least these columns."""
        columns = tuple(columns)
        searched = [field for field in entity.fields if field.name in entity.search_fields]
        compared = [each.field for each in each_condition(plan.left)]
        compared += [each.also for each in compared if each.also]
        needed = [
            *columns,
            *compared,
            *(searched if plan.words else ()),
        ]
        # What the CRM computes is in the rows that it lists, and nothing to compare records by.
        shown = [each for each in columns if each.computed and each.listed]
        _require_listed(entity, [each for each in needed if each not in shown])
        rows = in_memory.matching(self._all(entity, plan, tuple(dict.fromkeys(needed))), plan.left)
        found = in_memory.holding_words(rows, plan.words, entity.search_fields)
        return self._labels.filled_in(needed, found)

    def _all(
        self, entity: Entity, plan: Plan, columns: tuple[Field, ...]
    ) -> Sequence[Mapping[str, Any]]:
        rows: dict[str, Mapping[str, Any]] = {}
        offset, total = 0, 1
        while offset < total:
            page = self._first(entity, plan, columns, PAGE, offset)
            total = page.total
            _require_few(entity, total)
            rows |= {row["id"]: row for row in page.rows}
            offset += PAGE
            progress.tell(len(rows), total, entity.name)
        return list(rows.values())

    def _first(
        self, entity: Entity, plan: Plan, columns: tuple[Field, ...], limit: int, offset: int = 0
    ) -> Page:
        query = RowQuery(columns, plan.search, plan.sent, limit=limit, offset=offset)
        return rest_page(self.read, entity, query)


@dataclass(frozen=True)
class Plan:
    """What the list does of a search, and what of it is left to do here.

    `search` and `sent` narrow the list; `left` and `words` are checked on the rows that come.
    """

    search: str
    sent: tuple[Condition, ...]
    left: tuple[Condition, ...]
    words: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return not self.left and not self.words


def plan_search(entity: Entity, query: RowQuery) -> Plan:
    """What the list can be asked for, and what is left to check on the rows that come."""
    for each in each_condition(query.conditions):
        if each.operator == "related":
            raise NotAvailable(
                f"{entity.name} can't be filtered by what {each.field.name} is over the REST API."
            )
    # Of two conditions on one parameter, the list would heed the last.
    keys = [condition.key for condition in query.conditions]
    sent = tuple(
        each
        for each in query.conditions
        if keys.count(each.key) == 1 and takes(entity, each) and not _is_spelled_freely(each)
    )
    left = tuple(each for each in query.conditions if each not in sent)
    words = query.query.replace(",", " ").split()
    if words and not entity.search_parameter:
        return Plan("", (*sent, *_wider(entity, left, keys)), left, tuple(words))
    if len(words) > 1:
        # The list looks for the whole phrase in one field.
        return Plan(max(words, key=len), sent, left, tuple(words))
    search = query.query or next((text for each in left if (text := _text(entity, each))), "")
    return Plan(search, (*sent, *_wider(entity, left, keys)), left)


def _text(entity: Entity, condition: Condition) -> str:
    """A word to search for without which this condition can't hold."""
    searched = entity.search_parameter and condition.field.name in entity.search_fields
    if _is_spelled_freely(condition):
        return ""
    wanted = condition.value if condition.operator in ("eq", "contains") else ""
    return wanted if searched and isinstance(wanted, str) else ""


def _is_spelled_freely(condition: Condition) -> bool:
    """Whether the CRM, which compares letter by letter, would miss what is meant."""
    return condition.field.kind is Kind.PHONE


def _wider(
    entity: Entity, left: Iterable[Condition], taken: Sequence[str]
) -> tuple[Condition, ...]:
    """Filters of the list that leave in whatever the conditions do."""
    contained = (
        replace(each, operator="contains")
        for each in left
        if each.operator == "eq"
        and not _is_spelled_freely(each)
        and (each.field.kind.is_text or each.field.kind is Kind.CHOICE)
    )
    wider = {each.key: each for each in contained if takes(entity, each) and each.key not in taken}
    return tuple(wider.values())


def _is_in_order(entity: Entity, query: RowQuery) -> bool:
    """Whether the list can come in the order that is asked for."""
    if not query.sort:
        return entity.newest_first or CREATED in entity.rest_sort
    (field, descending), *more = query.sort
    # The list puts records without a date first where the latest come first.
    misplaced = descending and field.kind is Kind.DATE
    return field.name in entity.rest_sort and not more and not misplaced


def _newest_asked_for(entity: Entity, query: RowQuery) -> RowQuery:
    if query.sort or CREATED not in entity.rest_sort:
        return query
    return replace(query, sort=tuple(newest(entity)))


def _window(rows: Sequence[Mapping[str, Any]], order: in_memory.Order, query: RowQuery) -> Page:
    """The part of all these rows that a query asks for."""
    window = in_memory.ordered(rows, order)[query.offset : query.offset + query.limit]
    return Page(unpaged_list.only(query.columns, window), len(rows))


def _counts_only(query: SummaryQuery) -> bool:
    return all(each.function == "count" for each in query.measures)


def _require_listed(entity: Entity, fields: Iterable[Field]) -> None:
    for field in fields:
        if field.computed or not field.listed:
            raise NotAvailable(
                f"{field.name} is not in the CRM's list of {entity.name}, so this can't be done "
                "over its REST API. crm_get shows it."
            )


def _require_few(entity: Entity, total: int) -> None:
    if total > MOST_RECORDS:
        raise NotAvailable(
            f"This would have to read {total} {entity.name} over the REST API, and no more than "
            f"{MOST_RECORDS} are read. Narrow it with {', '.join(entity.rest_filters)}."
        )
