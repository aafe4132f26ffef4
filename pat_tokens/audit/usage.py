"""Usage of a token: when, from where, and what was refused."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from pat_tokens.audit import events
from pat_tokens.audit.source import current_source
from pat_tokens.host.tokens import is_host_token, write_last_use
from pat_tokens.models import Connection, DailyUse, Event, Token
from pat_tokens.request_cache import cached
from pat_tokens.rls import in_organisation, presenting

logger = logging.getLogger("pat_tokens")

RECORDED_EVERY = timedelta(minutes=1)
# How long the minutes of a day are kept, for the chart of a token's page.
USE_KEPT = timedelta(days=90)
_ANY, _UNUSED = Q(), Q(last_used_at=None)


def record_use(token: Token) -> None:
    """Write the last use, at most once a minute, and an entry for an address that is new.

    Of the requests that one call to /mcp makes only the first is looked at.
    """
    address = current_source().address
    cached(("used", token.pk, address), lambda: _record_use(token, address))


def _record_use(token: Token, address: str | None) -> None:
    used = token.connection or token
    is_due = _is_due(token.last_used_at)
    is_news, is_logged = False, True
    if address and address != used.last_used_address:
        is_news = not _is_known(token, address)
        is_logged = not is_news or _record_new_address(token, address)
    if is_due:
        unused = _UNUSED | Q(last_used_at__lte=timezone.now() - RECORDED_EVERY)
        _write_last_use(token, unused, is_logged)
    elif is_news and is_logged:
        _write_last_use(token, _ANY, is_logged)


def record_use_of_host_token(token: Any) -> None:
    """The same for a token of the host's own, which has no address. Others are nobody's affair."""
    if is_host_token(token) and _is_due(token.last_used_at):
        with in_organisation(token.org.pk):
            write_last_use(token, timezone.now())


def _is_due(last_used_at: datetime | None) -> bool:
    return last_used_at is None or last_used_at <= timezone.now() - RECORDED_EVERY


def _write_last_use(token: Token, condition: Q, with_address: bool) -> None:
    """An address that has no entry yet is not written: it would pass for known ever after."""
    source = current_source()
    token.last_used_at = timezone.now()
    use: dict[str, Any] = {"last_used_at": token.last_used_at, "last_used_client": source.client}
    if with_address:
        use["last_used_address"] = source.address
    # Not save(): it would write back `revoked_at` as this instance read it, and undo a
    # revocation made since.
    with presenting(token.digest):
        is_counted = Token.objects.filter(condition, pk=token.pk).update(**use)
    if is_counted and condition is not _ANY and token.connection is None:
        _count_minute(token)
    if token.connection is not None:
        with in_organisation(token.org_id):
            Connection.objects.filter(condition, pk=token.connection.pk).update(**use)
    if with_address:
        (token.connection or token).last_used_address = source.address


def _count_minute(token: Token) -> None:
    day = datetime.now(UTC).date()
    of_day = DailyUse.objects.filter(token_id=token.pk, day=day)
    with in_organisation(token.org_id):
        if of_day.update(minutes=F("minutes") + 1):
            return
        new = DailyUse(token_id=token.pk, org_id=token.org_id, day=day)
        DailyUse.objects.bulk_create([new], ignore_conflicts=True)
        of_day.update(minutes=F("minutes") + 1)
        DailyUse.objects.filter(token_id=token.pk, day__lt=day - USE_KEPT).delete()


def record_first_mcp_request(token: Token) -> None:
    """Write when the token first came to /mcp; nothing after that."""
    if token.first_mcp_at is not None:
        return
    token.first_mcp_at = timezone.now()
    with presenting(token.digest):
        Token.objects.filter(pk=token.pk, first_mcp_at=None).update(first_mcp_at=token.first_mcp_at)


def record_refusal(token: Token, reason: str) -> None:
    """Tell the owner and the log, at most once a minute while the reason stays the same."""
    reason = events.fitting(Token, "last_refusal", reason)
    extra = {"token": token.prefix, "reason": reason}
    logger.warning("Token %s refused: %s", token.prefix, reason, extra=extra)
    now = timezone.now()
    recent = Q(last_refused_at__gt=now - RECORDED_EVERY, last_refusal=reason)
    with presenting(token.digest):
        news = Token.objects.filter(~recent, pk=token.pk).update(
            last_refused_at=now, last_refusal=reason
        )
    if news:
        events.record_bounded(
            Event.Kind.REFUSED, org_id=token.org_id, by=token.owner, token=token, detail=reason
        )


def _record_new_address(token: Token, address: str) -> bool:
    """Whether it has an entry now."""
    key = f"{token.credential_id} {address}"
    with in_organisation(token.org_id):
        # Of several first requests at once, one has news.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        if _is_known(token, address):
            return True
        kind = Event.Kind.NEW_ADDRESS
        return events.record_bounded(kind, org_id=token.org_id, by=token.owner, token=token)


def _is_known(token: Token, address: str) -> bool:
    kind = Event.Kind.NEW_ADDRESS
    with in_organisation(token.org_id):
        entries = Event.objects.filter(token_id=token.credential_id, kind=kind, address=address)
        return entries.exists()
