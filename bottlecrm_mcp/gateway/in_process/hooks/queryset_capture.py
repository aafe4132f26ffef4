"""Queryset capture: the rows of a list view, as soon as it has narrowed them to the caller.

BottleCRM's list views narrow a queryset to the caller and hand it to DRF's
`LimitOffsetPagination.paginate_queryset`. For a request that carries the gateway's own mark the
queryset is taken there, and the view ends in an exception of ours that DRF's handler turns into an
answer, so that every middleware unwinds. Everything that the view would have done after that, which
is most of its cost (drop-down data, nested serializers), is not done. Other requests are untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet
from rest_framework.exceptions import APIException
from rest_framework.pagination import LimitOffsetPagination

from bottlecrm_mcp.gateway.in_process.hooks.unread_totals import read_totals

MARK = "mcp_capture"
ORG_VARIABLE = "app.current_org"


class ListHandedOver(APIException):
    """Ends a marked list view. Its status does not matter: nobody reads the response."""

    status_code = 200
    default_detail = "handed over"


class ContextLost(Exception):
    """The database does not know whose request this is, so an empty list would be a lie."""


class Capture:
    """Takes the querysets of one list view and answers from them.

    `sections` is how many querysets the view paginates. `answer` runs inside the view, with the
    caller's database context; `found` tells whether it holds rows of the caller's organisation.
    After the dispatch, `taken` tells whether it ran; `refusal` why not.
    """

    def __init__(
        self,
        model: type[Model],
        org_id: str,
        sections: int,
        answer: Callable[[Sequence[QuerySet[Any]]], Any],
        found: Callable[[Any], bool] = lambda answer: False,
    ) -> None:
        self.model = model
        self.org_id = org_id
        self.sections = sections
        self.answer = answer
        self.found = found
        self.querysets: list[QuerySet[Any]] = []
        self.taken = False
        self.refusal = ""
        self.result: Any = None
        self.failure: Exception | None = None

    def accepts(self, queryset: Any) -> bool:
        """Whether this is the queryset of the list; if not, `refusal` says why."""
        if not self.refusal:
            self.refusal = self._objection(queryset)
        return not self.refusal

    def _objection(self, queryset: Any) -> str:
        if not isinstance(queryset, QuerySet):
            return f"the view paginates a {type(queryset).__name__}, not a queryset"
        if queryset.model is not self.model:
            return f"the view lists {queryset.model.__name__}, not {self.model.__name__}"
        if queryset.query.is_sliced:
            return "the view has sliced its queryset"
        if queryset.query.combinator:
            return "the view combines querysets"
        return ""

    def take(self, queryset: QuerySet[Any]) -> None:
        """Answer from the queryset once every section is there. Then raises `ListHandedOver`."""
        self.querysets.append(queryset)
        if len(self.querysets) < self.sections:
            return
        read_totals()
        try:
            self.result = self.answer(self.querysets)
            # Without its organisation the database would have shown no row of it.
            if not self.found(self.result):
                self._require_context()
            self.taken = True
        except Exception as failure:
            # Raised again after the dispatch: the host's handlers must not turn it into a page.
            self.failure = failure
        raise ListHandedOver

    def _require_context(self) -> None:
        # BottleCRM's middleware goes on when it fails to set the variable.
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s, true)", [ORG_VARIABLE])
            (current,) = cursor.fetchone()
        if current != self.org_id:
            raise ContextLost


def install() -> None:
    """Once, at start-up. A view without the mark gets DRF's own pagination."""
    paginate = LimitOffsetPagination.paginate_queryset
    if hasattr(paginate, "__wrapped__"):
        return

    def paginate_queryset(
        self: LimitOffsetPagination, queryset: Any, request: Any, view: Any = None
    ) -> Any:
        capture: Capture | None = getattr(request, MARK, None)
        if capture is None or not capture.accepts(queryset):
            return paginate(self, queryset, request, view)
        # What the class sets; the view may read it before it paginates its next section.
        self.request, self.limit, self.offset, self.count = request, 0, 0, 0
        capture.take(queryset)
        return []

    paginate_queryset.__wrapped__ = paginate  # type: ignore[attr-defined]
    LimitOffsetPagination.paginate_queryset = paginate_queryset  # type: ignore[assignment,method-assign]
