"""How the view of a request is run: in a transaction, in time, and with a known outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway import in_time
from bottlecrm_mcp.gateway.background import held_until_commit
from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.created import created_records

View = Callable[[], HttpResponseBase]


class Read:
    """Runs a view, or something instead of it."""

    def __init__(self, instead: Callable[[HttpRequest], HttpResponse] | None = None) -> None:
        self.instead = instead
        self.transaction = in_time.Transaction()

    def __call__(self, view: View, request: HttpRequest) -> HttpResponseBase:
        with held_until_commit(), self.transaction.open():
            response = self.instead(request) if self.instead else _rendered(view())
            if in_time.is_poisoned():
                transaction.set_rollback(True)
        return response

    def require_done(self, response: HttpResponseBase) -> None:
        """Raises `GatewayError` if the response does not tell what became of the request."""
        if self.transaction.timed_out:
            raise too_late("Nothing was changed. Ask for less, or try again later.")


class AtomicWrite:
    """Runs a view in a transaction that only a success commits.

    `maybe_kept` says that what failed after the commit was begun left something behind, or leaves
    open whether it did.
    """

    def __init__(self, model: type[Model] | None) -> None:
        self.model = model
        self.created_id = ""
        self.transaction = in_time.Transaction()
        self.not_saved = self.is_committing = self.maybe_kept = False

    def __call__(self, view: View, request: HttpRequest) -> HttpResponseBase:
        try:
            with held_until_commit(), created_records() as created, self.transaction.open():
                response = self._response(view)
                self.is_committing = response.status_code < 400 and not self.not_saved
                if not self.is_committing:
                    transaction.set_rollback(True)
                    created.clear()
        except Exception as problem:
            self.maybe_kept = self.is_committing and not in_time.was_undone(problem)
            raise
        made = [record for record in created if type(record) is self.model]
        self.created_id = str(made[0].pk) if made else ""
        return response

    def _response(self, view: View) -> HttpResponseBase:
        response = _rendered(view())
        # A view that swallows a database error may answer 200 out of a transaction that
        # PostgreSQL will roll back.
        self.not_saved = response.status_code < 400 and in_time.is_poisoned()
        return response

    def require_done(self, response: HttpResponseBase) -> None:
        """Raises `GatewayError` if the response does not tell what became of the request."""
        if self.transaction.timed_out and (self.not_saved or response.status_code >= 400):
            raise too_late("Nothing was changed.")
        if self.not_saved:
            raise GatewayError(
                "not_saved",
                "The CRM hit a database error while it handled this and nothing was saved, "
                f"although it answered {response.status_code}.",
            )


def require_time() -> None:
    """Raises `GatewayError` if the call's time is over."""
    if in_time.seconds_left() <= 0:
        raise too_late("The last step was not begun.")


def too_late(outcome: str) -> GatewayError:
    seconds = mcp_settings().CALL_SECONDS
    return GatewayError("timeout", f"The CRM did not finish this within {seconds} s. {outcome}")


def _rendered(response: Any) -> HttpResponseBase:
    # What is left to the rendering may still use the database.
    if hasattr(response, "render"):
        response.render()
    rendered: HttpResponseBase = response
    return rendered
