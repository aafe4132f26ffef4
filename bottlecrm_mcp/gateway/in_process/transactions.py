"""Transactions: the view of a request is run in one, in time, and with a known outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import GatewayError, RecordChanged, WrittenBefore
from bottlecrm_mcp.gateway.in_process.deadline import (
    Deadline,
    Session,
    Transaction,
    is_poisoned,
    was_undone,
)
from bottlecrm_mcp.gateway.in_process.hooks.celery_on_commit import Held, held_until_commit
from bottlecrm_mcp.gateway.in_process.hooks.created_records import created_records
from bottlecrm_mcp.gateway.in_process.hooks.deletion_trial import Trial, deletion_trial
from bottlecrm_mcp.gateway.in_process.idempotency import Claim, earlier_of
from bottlecrm_mcp.gateway.in_process.results import Result
from bottlecrm_mcp.gateway.in_process.row_versions import WatchedPart, WatchedRow
from bottlecrm_mcp.models import KeyedWrite

logger = logging.getLogger("bottlecrm_mcp")

View = Callable[[], HttpResponseBase]

WAITED = (
    "Nothing was changed. Somebody else may be changing the same record; try again in a moment."
)

# How old the look at what the caller may do can be when a write is committed.
LOOK_AGAIN_SECONDS = 0.25


class ReadView:
    """Runs a view, or something instead of it."""

    def __init__(
        self,
        deadline: Deadline,
        instead: Callable[[HttpRequest], HttpResponse] | None = None,
        watched: Iterable[WatchedRow | WatchedPart] = (),
        session: Session | None = None,
    ) -> None:
        self.deadline = deadline
        self.instead = instead
        self.watched = watched
        self.limit = session or Transaction(deadline)

    def __call__(self, view: View, request: HttpRequest) -> HttpResponseBase:
        limit = self.limit
        with held_until_commit(), limit.limited() if isinstance(limit, Session) else limit.open():
            # Before the view reads them: what changes meanwhile counts as changed.
            for row in self.watched:
                row.note()
            response = self.instead(request) if self.instead else _rendered(view())
            if connection.in_atomic_block and is_poisoned():
                transaction.set_rollback(True)
        return response

    def require_done(self, response: HttpResponseBase) -> None:
        """Raises `GatewayError` if the response does not tell what became of the request."""
        if self.limit.timed_out or _failed_late(self.deadline, response):
            raise too_late("Nothing was changed. Ask for less, or try again later.")


class TriedDeletion:
    """Runs a view up to where it deletes, and undoes what it did until then."""

    def __init__(self, deadline: Deadline, session: Session | None = None) -> None:
        self.deadline = deadline
        self.transaction = Transaction(deadline, session)
        self.trial = Trial()

    def __call__(self, view: View, request: HttpRequest) -> HttpResponseBase:
        with held_until_commit(), deletion_trial() as self.trial, self.transaction.open():
            response = _rendered(view())
            transaction.set_rollback(True)
        return response

    def require_done(self, response: HttpResponseBase) -> None:
        """Raises `GatewayError` if there was no time for it."""
        if self.transaction.timed_out or _failed_late(self.deadline, response):
            raise too_late("Nothing was changed.")


class AtomicView:
    """Runs a view in a transaction that only a success commits.

    `maybe_kept` says that what failed after the commit was begun left something behind, or leaves
    open whether it did. What the write waited for may have taken long: `require_still_allowed`
    raises `GatewayError` if it may no longer be made. `count` counts it in the transaction, and
    raises likewise.
    """

    def __init__(
        self,
        deadline: Deadline,
        result: Result,
        claim: Claim | None = None,
        watched: Iterable[WatchedRow | WatchedPart] = (),
        require_still_allowed: Callable[[], None] = lambda: None,
        count: Callable[[], None] = lambda: None,
        session: Session | None = None,
    ) -> None:
        self.deadline = deadline
        self.result = result
        self.claim = claim
        # In one order, so that two writes never wait for each other.
        self.watched = sorted(watched, key=lambda each: each.order)
        self.require_still_allowed = require_still_allowed
        self.count = count
        self.allowed_at = time.monotonic()
        self.refusal: GatewayError | None = None
        self.earlier: KeyedWrite | None = None
        self.held = Held()
        self.transaction = Transaction(deadline, session)
        self.not_saved = self.is_committing = self.maybe_kept = False

    def __call__(self, view: View, request: HttpRequest) -> HttpResponseBase:
        try:
            with (
                held_until_commit() as self.held,
                created_records() as created,
                self.transaction.open(),
            ):
                if self._is_repeated():
                    return HttpResponse(status=204)
                if refusal := _refusal_of(self.count):
                    return self._refused(refusal)
                # After the count, whose row all writes of a token lock: before another lock none
                # of them holds one that the other waits for.
                if not all(each.lock_unchanged() for each in self.watched):
                    return self._refused(RecordChanged())
                response = self._response(view)
                if self.not_saved or response.status_code >= 400:
                    transaction.set_rollback(True)
                elif refusal := self._late_refusal():
                    return self._refused(refusal)
                elif not self._is_noted(created):
                    return self._refused(not_noted())
                else:
                    self.is_committing = True
        except Exception as problem:
            self.maybe_kept = self.is_committing and not was_undone(problem)
            raise
        # The middleware may still fail, on its way out.
        self.maybe_kept = self.is_committing
        if self.claim is not None and self.is_committing and self.held.tasks:
            self.claim.note_unsent(self.held.unsent)
        return response

    def _late_refusal(self) -> GatewayError | None:
        if time.monotonic() - self.allowed_at < LOOK_AGAIN_SECONDS:
            return None
        return _refusal_of(self.require_still_allowed)

    def _refused(self, refusal: GatewayError) -> HttpResponse:
        # Raised after the dispatch: the host's handlers would turn it into a page.
        self.refusal = refusal
        transaction.set_rollback(True)
        return HttpResponse(status=409)

    def _is_repeated(self) -> bool:
        if self.claim is None or self.claim.take():
            return False
        self.earlier = self.claim.kept()
        return True

    def _is_noted(self, created: Sequence[Model]) -> bool:
        """Whether all that goes with the write could be noted in its transaction."""
        result = self.result
        result.see_created(created)
        try:
            result.read_and_note()
            if self.claim is not None and (result.created_id or self.held.tasks):
                self.claim.settle(result.record_id, self.held.tasks)
        except Exception:
            logger.exception("What a write did could not be noted, so it is undone")
            return False
        return not is_poisoned()

    def _response(self, view: View) -> HttpResponseBase:
        response = _rendered(view())
        # A view that swallows a database error may answer 200 out of a transaction that
        # PostgreSQL will roll back.
        self.not_saved = response.status_code < 400 and is_poisoned()
        return response

    def require_done(self, response: HttpResponseBase) -> None:
        """Raises `GatewayError` if the response does not tell what became of the request, and
        `WrittenBefore` if it was not sent."""
        if self.transaction.timed_out and self.refusal is not None:
            raise too_late(WAITED)
        if self.refusal is not None:
            raise self.refusal
        if self.claim is not None and self.earlier is not None:
            self.claim.require_same(self.earlier)
            raise WrittenBefore(earlier_of(self.earlier))
        if self.transaction.timed_out and (self.not_saved or response.status_code >= 400):
            raise too_late(WAITED)
        if _failed_late(self.deadline, response) and not self.maybe_kept:
            raise too_late(WAITED)
        if self.not_saved:
            raise GatewayError(
                "not_saved",
                "The CRM hit a database error while it handled this and nothing was saved, "
                f"although it answered {response.status_code}.",
            )


def not_noted() -> GatewayError:
    return GatewayError(
        "unavailable",
        "What this changes could not be read back and entered into the event log, so nothing was "
        "changed; try again later.",
    )


def _refusal_of(check: Callable[[], None]) -> GatewayError | None:
    try:
        check()
    except GatewayError as refusal:
        return refusal
    return None


def require_time(deadline: Deadline) -> None:
    """Raises `GatewayError` if the call's time is over."""
    if deadline.seconds_left <= 0:
        raise too_late("The last step was not begun.")


def _failed_late(deadline: Deadline, response: HttpResponseBase) -> bool:
    """Whether the host's middleware, round the transaction, was cut off."""
    return response.status_code >= 500 and deadline.seconds_left <= 0


def too_late(outcome: str) -> GatewayError:
    """The error of a call whose time is over; `outcome` says what became of it."""
    seconds = mcp_settings().CALL_SECONDS
    return GatewayError("timeout", f"The CRM did not finish this within {seconds} s. {outcome}")


def _rendered(response: Any) -> HttpResponseBase:
    # What is left to the rendering may still use the database.
    if hasattr(response, "render"):
        response.render()
    rendered: HttpResponseBase = response
    return rendered
