"""In-process gateway: requests through the CRM's whole middleware chain and its DRF views.

The CRM's own authentication, permissions, scopes, validation and row-level security apply
unchanged; every request authenticates again, so that a token revoked a moment ago is refused. Never
call this on a thread that is inside a Django request: the middleware's clean-up would end that
request's organisation context.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache, partial, wraps
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.apps import apps
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, connections
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.catalogue.model import Catalogue, Effect, Entity, Field, Included
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import (
    Caller,
    Condition,
    EarlierWrite,
    GatewayError,
    LiveField,
    NotAvailable,
    Page,
    Read,
    Refused,
    Reply,
    RowQuery,
    Subject,
    Summary,
    SummaryQuery,
    Watched,
    WriteKey,
    Written,
    page_or_reason,
)
from bottlecrm_mcp.gateway.in_process import idempotency
from bottlecrm_mcp.gateway.in_process.attached import NewFile, attached_rows, stored_sizes
from bottlecrm_mcp.gateway.in_process.deadline import Deadline, Session, clear_connection
from bottlecrm_mcp.gateway.in_process.dependents import dependents_of, part_version, plural_name
from bottlecrm_mcp.gateway.in_process.hooks import queryset_capture
from bottlecrm_mcp.gateway.in_process.hooks.unread_totals import totals_left_unread
from bottlecrm_mcp.gateway.in_process.idempotency import Claim
from bottlecrm_mcp.gateway.in_process.live_connection import ensure_live_connection
from bottlecrm_mcp.gateway.in_process.records import Records
from bottlecrm_mcp.gateway.in_process.results import Result
from bottlecrm_mcp.gateway.in_process.row_versions import WatchedPart, WatchedRow
from bottlecrm_mcp.gateway.in_process.serializers import live_fields
from bottlecrm_mcp.gateway.in_process.summary import summarize
from bottlecrm_mcp.gateway.in_process.transactions import (
    AtomicView,
    ReadView,
    TriedDeletion,
    require_time,
)
from bottlecrm_mcp.gateway.shared import unpaged_list
from bottlecrm_mcp.gateway.shared.rest_query import rest_page

logger = logging.getLogger("bottlecrm_mcp")

RUN = "mcp_run"
ORG_VARIABLE = queryset_capture.ORG_VARIABLE

T = TypeVar("T")
View = Callable[..., HttpResponseBase]

_dispatching: ContextVar[bool] = ContextVar("dispatching", default=False)


@dataclass(frozen=True)
class Origin:
    """Where the outer request came from, as the CRM's own middleware should see it.

    `headers` are the few that say so (host, forwarding, user agent), by their WSGI names.
    """

    host: str = "localhost"
    port: str = "80"
    scheme: str = "http"
    client: str = "127.0.0.1"
    headers: tuple[tuple[str, str], ...] = ()


class Dispatcher(BaseHandler):
    """Django's handler, with one addition: a request can say how its view is to be run."""

    def __init__(self) -> None:
        self.load_middleware()

    def make_view_atomic(self, view: View) -> View:
        view = super().make_view_atomic(view)

        # Inside all middleware: on-commit hooks still see the organisation and the user, and a
        # rollback does not undo what the middleware set.
        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            how = getattr(request, RUN, None)
            if how is None:
                return view(request, *args, **kwargs)
            response: HttpResponseBase = how(lambda: view(request, *args, **kwargs), request)
            return response

        return run


@cache
def dispatcher() -> Dispatcher:
    return Dispatcher()


class InProcessGateway:
    """The CRM in this process, as the person whose token `secret` is.

    All requests share the time of a call, `deadline`; without one each has `CALL_SECONDS`.
    `for_write` is entered round each write, and raises `GatewayError` if it may not be made.
    `count_write` is called in each write's transaction before it is made, with how many deletes
    and mails to outsiders it is, and raises likewise. `note` is called at the end of that
    transaction, with the organisation set: if it fails the write is not made.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        caller: Caller,
        secret: str,
        origin: Origin | None = None,
        *,
        deadline: Deadline | None = None,
        for_write: Callable[[], AbstractContextManager[None]] = nullcontext,
        note: Callable[[Written], None] = lambda written: None,
        count_write: Callable[[int, int], None] = lambda deletes, mails: None,
    ) -> None:
        self.catalogue = catalogue
        self.caller = caller
        self.origin = origin or Origin()
        self._secret = secret
        self._deadline = deadline
        self._for_write = for_write
        self._note = note
        # What this call's lists let the caller see, by the names of entities.
        self._lists: dict[str, Records] = {}
        self._count_write = count_write
        self._watched: list[WatchedRow | WatchedPart] = []
        self._session: Session | None = None

    def __repr__(self) -> str:
        return f"<InProcessGateway for {self.caller.email}>"

    @contextmanager
    def session(self) -> Iterator[None]:
        """Let the requests within share their time limit and the clean-up after them."""
        # Whoever has begun a transaction wants nothing of this to end it.
        if connection.in_atomic_block:
            yield
            return
        session = Session(self._time)
        with session.open():
            self._session = session
            try:
                yield
            finally:
                self._session = None

    def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Reply:
        return _reply(self._dispatch(self.request("GET", path, parameters), self._reading()))

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
        request = self.request(method, path, body=body or {})
        model = model_of(subject.entity) if subject else None
        result = Result(model, self._note, subject, self._read_back)
        kinds = set(effects)
        deletes = int(method == "DELETE" or Effect.DELETES in kinds)
        counted = partial(self._count_write, deletes, int(Effect.MAILS in kinds))
        claim = Claim(self.caller, key) if key else None
        return self._written(request, result, counted, claim, watched)

    def attach(self, path: str, part: Included, key: str, file: NewFile) -> Reply:
        """POST a file as the part `key` of a multipart body; the id of its row is answered."""
        content, content_type = file.multipart(key)
        request = self._request("POST", path, content=content, content_type=content_type)
        counted = partial(self._count_write, 0, 0)
        return self._written(request, Result(apps.get_model(part.model), self._note), counted)

    def _written(
        self,
        request: WSGIRequest,
        result: Result,
        counted: Callable[[], None],
        claim: Claim | None = None,
        watched: Iterable[Watched | None] = (),
    ) -> Reply:
        with self._for_write():
            run = AtomicView(
                self._time,
                result,
                claim,
                [each for each in watched if isinstance(each, WatchedRow | WatchedPart)],
                self._require_still_allowed,
                counted,
                self._session,
            )
            reply = _reply(self._dispatch(request, run))
        return replace(
            reply,
            created_id=result.created_id,
            record=result.record,
            maybe_kept=run.maybe_kept and not reply.ok,
            unsent=tuple(run.held.unsent),
        )

    def _read_back(self, subject: Subject, record_id: str) -> Mapping[str, Any] | None:
        """The record as the write leaves it, if the caller's list holds it."""
        listed = self._lists.get(subject.entity.name)
        if listed is None or not subject.columns:
            return None
        return next(iter(listed.of([record_id]).all_rows(subject.columns)), None)

    def download(self, path: str) -> HttpResponseBase:
        """The CRM's answer to GET `path`, as it streams it; who takes it has to close it."""
        return self._dispatch(self.request("GET", path), self._reading())

    def file_sizes(self, entity: Entity, part: Included, ids: Sequence[str]) -> dict[str, int]:
        """The bytes of these files, as far as the storage tells. The caller may see them."""
        sizes: dict[str, int] = {}

        def look(request: HttpRequest) -> HttpResponse:
            sizes.update(stored_sizes(part, ids, self.caller.org_id))
            return HttpResponse(status=204)

        self._dispatch(self.request("GET", entity.path), self._reading(look))
        return sizes

    def refused_deletion(self, path: str, body: Mapping[str, Any] | None = None) -> Reply | None:
        run = TriedDeletion(self._time, self._session)
        reply = _reply(self._dispatch(self.request("DELETE", path, body=body or {}), run))
        return None if run.trial.reached or reply.ok else reply

    def _require_still_allowed(self) -> None:
        with self._for_write():
            pass

    def watch(self, entity: Entity, record_id: str, *, with_dependents: bool = False) -> WatchedRow:
        model = model_of(entity)
        look = partial(dependents_of, model, record_id, self._name_of) if with_dependents else None
        row = WatchedRow(model, record_id, look)
        self._watched.append(row)
        return row

    def watch_part(self, entity: Entity, record_id: str, part_id: str) -> WatchedPart:
        look = partial(part_version, model_of(entity), record_id, part_id, self._name_of)
        row = WatchedPart(look, part_id)
        self._watched.append(row)
        return row

    def _name_of(self, model: type[Model]) -> str:
        """The entity's name, or the host's own for what is none."""
        catalogue = self.catalogue
        for entity in (*catalogue.entities, *catalogue.optional):
            if entity.model == model._meta.label:
                return entity.name
        return plural_name(model)

    def written_before(self, entity: Entity, key: WriteKey) -> EarlierWrite | None:
        claim = Claim(self.caller, key)
        found = self._among_keys(entity, claim.earlier)
        if found is None:
            return None
        claim.require_same(found)
        return idempotency.earlier_of(found)

    def writes_under(self, entity: Entity, key: str) -> Mapping[str, EarlierWrite]:
        look = partial(idempotency.writes_under, self.caller, key)
        return self._among_keys(entity, look) or {}

    def _among_keys(self, entity: Entity, look: Callable[[], T]) -> T | None:
        """What is found among the keys of earlier writes; None where a write would be refused."""
        found: list[T] = []

        def run(request: HttpRequest) -> HttpResponse:
            if idempotency.is_migrated():
                found.append(look())
            return HttpResponse(status=204)

        # Not GET: where the token may write it may not be allowed to read.
        path = entity.write_path or entity.path
        response = self._dispatch(self.request("POST", path), self._reading(run))
        if response.status_code >= 400:
            return None
        if not found:
            raise idempotency.NOT_MIGRATED
        return found[0]

    def seconds_left(self) -> float:
        return 0 if self._time.is_given_up else self._time.seconds_left

    def page(self, entity: Entity, query: RowQuery) -> Page:
        return self._page(self.read, entity, query)

    def _page(self, read: Read, entity: Entity, query: RowQuery) -> Page:
        if not entity.paged:
            return unpaged_list.page(read, entity, query)
        seen = self._with_related(query)
        capture = self.capture(
            entity,
            lambda records: records.page(seen, entity),
            found=lambda page: bool(page.rows),
        )
        if capture.taken:
            page: Page = capture.result
            return page
        try:
            return rest_page(self.read, entity, query)
        except NotAvailable as limit:
            raise NotAvailable(f"{limit} (The fast path is off: {capture.refusal}.)") from limit

    def pages(
        self, searches: Sequence[tuple[Entity, RowQuery]]
    ) -> list[Page | NotAvailable | Refused]:
        # Some lists hold several entities, such as people and teams.
        read = unpaged_list.read_once(self.read)
        return [page_or_reason(partial(self._page, read), *search) for search in searches]

    def summarize(self, entity: Entity, query: SummaryQuery) -> Summary:
        if not entity.paged:
            return unpaged_list.summarize(self.read, entity, query, self.caller)
        seen = self._with_related_sums(query)
        visible = {
            each.key: self._visible(each.through[1], ()) for each in query.groupings if each.through
        }
        capture = self.capture(entity, lambda records: summarize(records, entity, seen, visible))
        if not capture.taken:
            raise NotAvailable(
                f"{entity.name} can't be summarized here: {capture.refusal}. Use crm_search."
            )
        summary: Summary = capture.result
        return summary

    def _with_related(self, query: RowQuery) -> RowQuery:
        return replace(query, conditions=self._seen(query.conditions))

    def _with_related_sums(self, query: SummaryQuery) -> SummaryQuery:
        measures = tuple(replace(each, holds=self._seen(each.holds)) for each in query.measures)
        return replace(query, conditions=self._seen(query.conditions), measures=measures)

    def _seen(self, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
        """The conditions, with what the caller sees of other entities as querysets."""
        return tuple(map(self._seen_by, conditions))

    def _seen_by(self, condition: Condition) -> Condition:
        value = condition.value
        if condition.operator == "any":
            return replace(condition, value=tuple(map(self._seen, value)))
        if condition.operator == "related":
            return replace(condition, value=self._visible(value.entity, value.conditions))
        return condition

    def _visible(self, entity: Entity, conditions: Sequence[Condition]) -> QuerySet[Any]:
        """Those of an entity's records that the caller sees, to be looked for in another query.

        The queryset is the list view's own rule with the caller's ids in it. Nothing is read yet;
        the database gets it as a part of the other query, which the caller makes, too.
        """
        query = RowQuery((), conditions=tuple(conditions))
        capture = self.capture(entity, lambda records: records.matching(query, entity))
        if not capture.taken:
            raise NotAvailable(f"{entity.name} can't be looked into here: {capture.refusal}.")
        visible: QuerySet[Any] = capture.result
        return visible

    def referred(
        self, entity: Entity, field: Field, wanted: str, *, by_id: bool
    ) -> Sequence[Mapping[str, str]]:
        if not entity.paged:
            return ()
        capture = self.capture(entity, lambda records: records.referred(field, wanted, by_id=by_id))
        return capture.result if capture.taken else ()

    def find(
        self, entity: Entity, ids: Sequence[str], columns: Sequence[Field]
    ) -> Mapping[str, Mapping[str, Any]]:
        if not entity.paged:
            return unpaged_list.find(self.read, entity, ids, columns)
        capture = self.capture(entity, lambda records: records.all_rows(columns), ids, found=bool)
        rows = capture.result if capture.taken else ()
        return {row["id"]: row for row in rows}

    def finds(self, field: Field) -> bool:
        return not field.computed or bool(field.rows)

    def attached(
        self, entity: Entity, record_id: str, part: Included
    ) -> Sequence[Mapping[str, Any]] | None:
        capture = self.capture(
            entity, lambda records: attached_rows(records, part, record_id, self.caller.org_id)
        )
        rows: Sequence[Mapping[str, Any]] | None = capture.result
        return rows

    def live_fields(self, entity: Entity, *, update: bool) -> Mapping[str, LiveField] | None:
        if not entity.write_serializers:
            return None
        serializer = import_string(entity.write_serializers[update])
        fields: dict[str, LiveField] = {}

        def describe(request: HttpRequest) -> HttpResponse:
            fields.update(live_fields(serializer, request, update=update))
            return HttpResponse("{}", content_type="application/json")

        self._dispatch(self.request("GET", entity.path), self._reading(describe))
        return fields or None

    def capture(
        self,
        entity: Entity,
        answer: Callable[[Records], Any],
        ids: Sequence[str] | None = None,
        *,
        found: Callable[[Any], bool] = lambda answer: False,
    ) -> queryset_capture.Capture:
        """Ask something of the records that the caller's list would hold, or of some of them.

        `found` tells whether the answer holds any of them.
        """
        model, org_id = model_of(entity), self.caller.org_id

        def answer_from(querysets: Sequence[QuerySet[Any]]) -> Any:
            records = Records(self.catalogue, model, querysets, org_id, ids)
            self._lists[entity.name] = records
            return answer(records)

        capture = queryset_capture.Capture(model, org_id, len(entity.sections), answer_from, found)
        self.hand_over(entity, capture)
        return capture

    def hand_over(self, entity: Entity, capture: queryset_capture.Capture) -> None:
        """Run the entity's list view up to where it paginates, for this capture."""
        with totals_left_unread(capture.model) as totals:
            response = self._listed(entity, capture)
        if totals.were_left and totals.may_be_left and response.status_code >= 500:
            # A view may need its totals to be plain numbers.
            capture.querysets.clear()
            response = self._listed(entity, capture)
        if isinstance(capture.failure, queryset_capture.ContextLost | DatabaseError):
            raise GatewayError(
                "unavailable", "The database did not answer; try again."
            ) from capture.failure
        if capture.failure is not None:
            raise capture.failure
        if not capture.taken and not capture.refusal:
            _refuse_failed_list(response)
            capture.refusal = "the view does not paginate as expected"

    def _listed(self, entity: Entity, capture: queryset_capture.Capture) -> HttpResponseBase:
        request = self.request("GET", entity.path, entity.list_parameters)
        setattr(request, queryset_capture.MARK, capture)
        return self._dispatch(request, self._reading())

    def request(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> WSGIRequest:
        content = b"" if body is None else json.dumps(body).encode()
        return self._request(method, path, parameters, content)

    def _request(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        content: bytes = b"",
        content_type: str = "application/json",
    ) -> WSGIRequest:
        origin = self.origin
        return WSGIRequest(
            {
                **dict(origin.headers),
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "SCRIPT_NAME": "",
                "QUERY_STRING": urlencode(parameters or {}, doseq=True),
                "SERVER_NAME": origin.host,
                "SERVER_PORT": origin.port,
                "SERVER_PROTOCOL": "HTTP/1.1",
                "REMOTE_ADDR": origin.client,
                "HTTP_AUTHORIZATION": f"Bearer {self._secret}",
                "HTTP_ACCEPT": "application/json",
                "CONTENT_TYPE": content_type,
                "CONTENT_LENGTH": str(len(content)),
                "wsgi.url_scheme": origin.scheme,
                "wsgi.input": BytesIO(content),
            }
        )

    def _reading(self, instead: Callable[[HttpRequest], HttpResponse] | None = None) -> ReadView:
        return ReadView(self._time, instead, self._watched, self._session)

    @property
    def _time(self) -> Deadline:
        return self._deadline or Deadline(mcp_settings().CALL_SECONDS)

    def _dispatch(
        self, request: WSGIRequest, run: ReadView | AtomicView | TriedDeletion
    ) -> HttpResponseBase:
        require_time(run.deadline)
        require_connection()
        setattr(request, RUN, run)
        if self._session is not None:
            self._session.note_request()
        with _one_at_a_time(), telemetry.crm_request_span(request):
            try:
                response = dispatcher().get_response(request)
            finally:
                # Not response.close(): its signal would close the connection after each request.
                request.close()
                if self._session is None:
                    clear_connection()
        run.require_done(response)
        return response


def require_connection() -> None:
    """Raises `GatewayError` if the database can't be reached."""
    try:
        ensure_live_connection()
    except DatabaseError as problem:
        raise GatewayError(
            "unavailable",
            "The CRM's database could not be reached, or has no connection to spare. Nothing was "
            "changed; try again in a moment.",
        ) from problem


def _refuse_failed_list(response: HttpResponseBase) -> None:
    if response.status_code >= 400:
        raise Refused(_reply(response))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if _dispatching.get():
        raise RuntimeError("A request to the CRM was made from inside another one.")
    token = _dispatching.set(True)
    try:
        yield
    finally:
        _dispatching.reset(token)


@contextmanager
def database_call() -> Iterator[None]:
    """The frame of one tool call on a pool thread: its connections go back clean at the end."""
    close_old_connections()
    try:
        yield
    finally:
        for each in connections.all(initialized_only=True):
            if not each.in_atomic_block:
                each.close()


def _reply(response: HttpResponseBase) -> Reply:
    if response.status_code in (301, 302, 307, 308):
        raise GatewayError(
            "misconfigured",
            "The CRM redirects requests from inside its own process. Its administrator can run "
            "`manage.py mcp_doctor`.",
        )
    content = b"" if response.streaming else getattr(response, "content", b"")
    try:
        return Reply(response.status_code, json.loads(content) if content else None)
    except ValueError:
        return Reply(response.status_code)


def model_of(entity: Entity) -> type[Model]:
    return apps.get_model(entity.model)
