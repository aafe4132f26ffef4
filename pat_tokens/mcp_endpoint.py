"""Interface for an MCP endpoint: tokens, policy, audit, usage; the rest is `pat_tokens.oauth`.

All of it works for the host's own tokens as well.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from pat_tokens.audit import events
from pat_tokens.audit.calls import call_log
from pat_tokens.audit.source import Source, coming_from, current_source, source_of
from pat_tokens.audit.usage import (
    record_first_mcp_request,
    record_refusal,
    record_use,
    record_use_of_host_token,
)
from pat_tokens.models import Call, Event, Policy, Token
from pat_tokens.request_cache import cached, forget, request_cache
from pat_tokens.rls import in_organisation
from pat_tokens.services.daily_limits import (
    Left,
    LimitReached,
    count_write,
    left_today,
    little_left,
)
from pat_tokens.services.downloads import offer_download
from pat_tokens.services.leak_reports import MAX_BODY_BYTES as MAX_REPORT_BYTES
from pat_tokens.services.leak_reports import ReportResponse, answer_report
from pat_tokens.services.policy import (
    AGENTS_READ_ONLY,
    agents_denial,
    connection_denial,
    lifetime_denial,
    policy_of,
)
from pat_tokens.services.stop import stop_denial
from pat_tokens.stand_in import stand_in_for

__all__ = [
    "MAX_REPORT_BYTES",
    "Admission",
    "LimitReached",
    "NotAdmitted",
    "ReportResponse",
    "Source",
    "Token",
    "acting_as",
    "admit",
    "answer_report",
    "coming_from",
    "count_write",
    "current_source",
    "flush_calls",
    "forget",
    "link_records",
    "offer_download",
    "record_address",
    "record_call",
    "record_write",
    "request_cache",
    "source_of",
]

# The address of a record's page, by the name of its entity and its id; empty where there is none.
RecordAddress = Callable[[str, str], str]
_record_address: RecordAddress | None = None


logger = logging.getLogger("pat_tokens")

# Stores the calls that still wait; before the process ends.
flush_calls = call_log.flush


class NotAdmitted(Exception):
    """The organisation's policy refuses the token; the message says why, to whoever holds it."""


@dataclass(frozen=True)
class Admission:
    """What the policy leaves of a token.

    `read_only` is the reason if it may not write; `sealed`, whether confirmations must be sealed.
    The name and prefix are those that `record_write` wants to be told; `little_left` says in words
    of which daily limits little is left, and `left_today` what is left of each, if that is known.
    """

    scopes: tuple[str, ...]
    read_only: str
    sealed: bool
    token_name: str
    token_prefix: str
    little_left: tuple[str, ...] = ()
    left_today: tuple[Left, ...] = ()


def admit(token: Any) -> Admission:
    """Let a token that authenticated into the MCP endpoint. Raises `NotAdmitted`."""
    record = record_use if isinstance(token, Token) else record_use_of_host_token
    record(token)
    policy = _policy(token)
    try:
        scopes = _remaining_scopes(token, policy)
    except NotAdmitted as refusal:
        if isinstance(token, Token):
            record_refusal(token, str(refusal))
        raise
    little: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    if isinstance(token, Token):
        record_first_mcp_request(token)
        left = left_today(token)
        little = little_left(left)
    read_only = agents_denial(policy.agents, "POST") or ""
    return Admission(scopes, read_only, policy.sealed, *_called(token), little, left)


def link_records(address_of: RecordAddress) -> None:
    """Let the pages of the event log link to records."""
    global _record_address
    _record_address = address_of


def record_address(entity: str, record_id: str) -> str:
    """The record's page in the host's web application; empty where that is not known."""
    return _record_address(entity, record_id) if _record_address and record_id else ""


@contextmanager
def acting_as(org_id: str, credential_id: str) -> Iterator[str]:
    """A secret for requests within the block, as a token or as a connection's newest one.

    It is looked up, judged and logged like the token's own, and opens nothing if there is none.
    """
    found = Q(pk=credential_id) | Q(connection_id=credential_id)
    tokens = Token.objects.filter(found, org_id=org_id).order_by("-created_at")
    with in_organisation(org_id):
        digest = tokens.values_list("digest", flat=True).first()
    with stand_in_for(digest or "") as secret:
        yield secret


def record_write(
    *,
    org_id: str,
    actor_id: str,
    actor: str,
    token_id: str,
    token_name: str,
    token_prefix: str,
    client: str,
    tool: str,
    entity: str,
    record_id: str,
    outcome: str,
    fields: Iterable[str] = (),
    is_refused: bool = False,
    is_within: bool = False,
) -> None:
    """One entry for a write that a tool made or tried. No values of the record.

    `fields` are the names of those that changed. `is_refused` says that nothing was changed: many
    of those in a minute are counted in one entry. `is_within` says that this is in the write's own
    transaction, in which the organisation is set.
    """
    client = client or current_source().client
    append = events.record_bounded if is_refused else events.record
    if is_within:
        append = events.append
    append(
        Event.Kind.WRITE,
        org_id=org_id,
        actor_id=actor_id,
        actor=actor,
        token_id=token_id or None,
        token_name=token_name,
        token_prefix=token_prefix,
        client=client,
        tool=tool,
        entity=entity,
        record_id=record_id,
        outcome=outcome,
        detail=", ".join(fields),
    )


def record_call(
    *,
    org_id: str,
    actor_id: str,
    actor: str,
    token_id: str,
    token_name: str,
    client: tuple[str, str],
    tool: str,
    entity: str,
    outcome: str,
    code: str,
    writes: bool,
    began: datetime,
    ms: int,
    record_ids: Sequence[str] = (),
    records: int = 0,
    fields: Iterable[str] = (),
) -> None:
    """One row of the call log, for a call that reached a tool. Stored later, and never raises.

    `client` is its name and version as it says; `outcome` one of `Call.Outcome`, `code` the kind of
    a refusal or error. `records` counts those of the answer where their ids are not told. `fields`
    are names: of an action, of filters, or of what a write changed.
    """
    try:
        name, version = client if client[0] else _product(current_source().client)
        told = {
            "actor_id": actor_id,
            "actor": actor,
            "token_name": token_name,
            "client": name,
            "client_version": version,
            "tool": tool,
            "entity": entity,
            "record_id": record_ids[0] if len(record_ids) == 1 else "",
            "fields": ", ".join(fields),
            "code": code,
        }
        call = Call(
            org_id=UUID(org_id),
            created_at=began,
            token_id=_uuid(token_id),
            records=len(record_ids) or records,
            outcome=outcome,
            writes=writes,
            ms=max(0, ms),
            **{field: events.fitting(Call, field, value) for field, value in told.items()},
        )
        if len(record_ids) > 1:
            call.record_ids = tuple(dict.fromkeys(each[:64] for each in record_ids))
        call_log.add(call)
    except Exception:
        logger.exception("A call of %s could not be logged", tool)
        call_log.count_lost(org_id)


def _product(agent: str) -> tuple[str, str]:
    """Name and version of the program that a User-Agent begins with; a browser has one for all."""
    if agent.startswith("Mozilla/"):
        return "browser", ""
    name, _, version = agent.split(" ")[0].partition("/")
    return name, version


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _called(token: Any) -> tuple[str, str]:
    """What the log calls a token, and its first characters; a connection's is called its client."""
    if not isinstance(token, Token):
        return getattr(token, "name", ""), getattr(token, "token_prefix", "")
    if token.connection is not None:
        return token.connection.client_name, ""
    return token.name, token.prefix


def _policy(token: Any) -> Policy:
    if not isinstance(token, Token):
        org_id = token.org.pk
        return cached(("policy", str(org_id)), lambda: policy_of(org_id))
    default = Policy(org_id=token.org_id)
    return Policy(
        org_id=token.org_id,
        agents=token.policy_agents or default.agents,
        confirmation=token.policy_confirmation or default.confirmation,
    )


def _remaining_scopes(token: Any, policy: Policy) -> tuple[str, ...]:
    stop = token.policy_stop if isinstance(token, Token) else policy.stop
    # Whether a message reads is not known yet, so this asks for the least.
    if (
        denial := stop_denial(stop)
        or agents_denial(policy.agents, "GET")
        or lifetime_denial(policy, token)
    ):
        raise NotAdmitted(denial)
    if isinstance(token, Token) and (denial := connection_denial(token)):
        raise NotAdmitted(denial)
    scopes = tuple(token.scopes or ())
    if policy.agents != Policy.Agents.READ_ONLY:
        return scopes
    reading = tuple(each for each in scopes or ("*:read",) if str(each).strip().endswith(":read"))
    if not reading:
        # Not an empty list, which would be unrestricted.
        raise NotAdmitted(AGENTS_READ_ONLY)
    return reading
