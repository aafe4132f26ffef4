"""Open forms in the database: the way of an answer from one request, and process, to another.

Whoever answers has the id, and is the person with the token that was asked. Each function is one
short transaction; between them nothing is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from bottlecrm_mcp.gateway.base import Caller, GatewayError
from bottlecrm_mcp.gateway.in_process.hooks.queryset_capture import ORG_VARIABLE
from bottlecrm_mcp.gateway.in_process.live_connection import ensure_live_connection
from bottlecrm_mcp.models import OpenForm
from bottlecrm_mcp.protocol.elicitation import KEY
from bottlecrm_mcp.protocol.older_forms import ANSWER_SECONDS, CANCEL

# Of one person at once.
MOST = 5
ACCEPT, DECLINE = "accept", "decline"
# Rows that nobody waits for any more, as after the end of a process.
LEFT_BEHIND = timedelta(seconds=2 * ANSWER_SECONDS)

EXCHANGE = "SELECT current_setting(%s, true), set_config(%s, %s, true)"
TABLE_EXISTS = "SELECT to_regclass(%s) IS NOT NULL"


TOO_MANY = GatewayError(
    "rate_limited",
    f"{MOST} forms wait for this person's answer, the most at once. Nothing was changed. "
    "Make the call again when one is answered.",
)


def open_form(caller: Caller) -> UUID:
    """The id of a new form. Raises `GatewayError` if this person has too many open."""
    with _in_organisation(caller.org_id):
        rows = OpenForm.objects.filter(org_id=caller.org_id)
        rows.filter(created_at__lt=timezone.now() - LEFT_BEHIND).delete()
        if _answerable(rows).filter(profile_id=caller.profile_id).count() >= MOST:
            raise TOO_MANY
        form = OpenForm.objects.create(
            org_id=caller.org_id, profile_id=caller.profile_id, token_id=caller.token_id
        )
        return form.pk


def form_id_in(message: Mapping[str, Any]) -> UUID | None:
    """The id of the form that this message answers, if it may be one."""
    if "method" in message or not ("result" in message or "error" in message):
        return None
    try:
        return UUID(message["id"])
    except (KeyError, ValueError, AttributeError, TypeError):
        return None


def answer_form(form_id: UUID, message: Mapping[str, Any], caller: Caller) -> bool:
    """Note the answer in this message, once; whether this caller has such a form open."""
    with _in_organisation(caller.org_id):
        mine = OpenForm.objects.filter(
            pk=form_id,
            org_id=caller.org_id,
            profile_id=caller.profile_id,
            token_id=caller.token_id,
            answer="",
        )
        return bool(_answerable(mine).update(answer=_answer_in(message)))


def answer_of(form_id: UUID, org_id: str) -> str:
    """What was answered; empty if nothing yet."""
    with _in_organisation(org_id):
        rows = OpenForm.objects.filter(pk=form_id).values_list("answer", flat=True)
        return rows.first() or ""


def close_form(form_id: UUID, org_id: str) -> None:
    with _in_organisation(org_id):
        OpenForm.objects.filter(pk=form_id).delete()


def is_migrated() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(TABLE_EXISTS, [OpenForm._meta.db_table])
        return bool(cursor.fetchone()[0])


def _answer_in(message: Mapping[str, Any]) -> str:
    result = message.get("result")
    if not isinstance(result, dict):
        return CANCEL
    if result.get("action") != ACCEPT:
        return CANCEL if result.get("action") == CANCEL else DECLINE
    content = result.get("content")
    agrees = isinstance(content, dict) and content.get(KEY) is True
    return ACCEPT if agrees else DECLINE


def _answerable(rows: QuerySet[OpenForm]) -> QuerySet[OpenForm]:
    return rows.filter(created_at__gt=timezone.now() - timedelta(seconds=ANSWER_SECONDS))


@contextmanager
def _in_organisation(org_id: str) -> Iterator[None]:
    """A transaction that sees this organisation's rows; the connection is then as before."""
    ensure_live_connection()
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EXCHANGE, [ORG_VARIABLE, ORG_VARIABLE, org_id])
        before = cursor.fetchone()[0] or ""
        yield
        # The variable lives as long as the transaction, which may not end here.
        if not is_outermost:
            cursor.execute(EXCHANGE, [ORG_VARIABLE, ORG_VARIABLE, before])
