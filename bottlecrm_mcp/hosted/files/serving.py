"""Serving of files: who follows a link gets or adds one file, as the person it was made for.

The token or connection behind the link is looked up as for any request, and the CRM is asked
through its own views; its permissions and row-level security apply as they are then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.core.handlers.asgi import ASGIRequest
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from bottlecrm_mcp import telemetry
from bottlecrm_mcp.catalogue.model import Entity, Included
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import Caller, GatewayError
from bottlecrm_mcp.gateway.in_process.attached import NewFile
from bottlecrm_mcp.gateway.in_process.deadline import Deadline
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway, Origin
from bottlecrm_mcp.hosted import rate_limits, thread_pool, token_policy
from bottlecrm_mcp.hosted.admission import (
    Call,
    admitted,
    authenticated_again,
    origin_of,
    refusals,
)
from bottlecrm_mcp.hosted.audit import Audit, Write
from bottlecrm_mcp.hosted.authentication import Unauthorized, authenticate
from bottlecrm_mcp.hosted.body import CLOSE, read_body, require_declared_size
from bottlecrm_mcp.hosted.cors import host_of
from bottlecrm_mcp.hosted.errors import HttpError, ascii_headers
from bottlecrm_mcp.hosted.execution import crm_with, seal
from bottlecrm_mcp.hosted.files.links import DOWNLOAD, UPLOAD, BadLink, Link, opened, state_of
from bottlecrm_mcp.tools.actions.concerned import record_acted_on
from bottlecrm_mcp.tools.errors import NOTHING_CHANGED, ToolError, raise_for
from bottlecrm_mcp.tools.files import BINARY, FORBIDDEN_IN_NAMES, is_device, type_of
from bottlecrm_mcp.tools.get import part_rows
from bottlecrm_mcp.tools.truncation import compact

PURPOSES = {"GET": DOWNLOAD, "PUT": UPLOAD}
# How long the bytes may take, in either direction.
TRANSFER_SECONDS = 120
# Django's files come in pieces of 4 KiB, each of which would be a hop to another thread.
PIECES = 16
ASK_AGAIN = "Ask the assistant for a new one."
BAD_LINK = f"This link is not valid, or it is more than ten minutes old. {ASK_AGAIN}"
ENDED = "The token or connection that this link was made for has ended or is paused."
CHANGED = f"The token or what it may do has changed since this link was made. {ASK_AGAIN}"
STATUS = {
    "unauthorized": 403,
    "forbidden": 403,
    "policy": 403,
    "insufficient_scope": 403,
    "not_found": 404,
    "conflict": 409,
    "used_up": 410,
    "limit_reached": 429,
}
# Whatever the file holds, a browser only ever saves it.
PLAIN = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)

T = TypeVar("T")


@dataclass(frozen=True)
class Use:
    """One use of a link. `signed` is what counts once of it."""

    link: Link
    signed: str
    origin: Origin
    slot: rate_limits.Slot

    @property
    def entity(self) -> Entity:
        """Raises `HttpError` for one that is no longer served."""
        entity = mcp_settings().catalogue.entity(self.link.entity)
        if entity is None:
            raise HttpError(404, BAD_LINK)
        return entity

    @property
    def part(self) -> Included:
        return next(each for each in self.entity.includes if each.file)

    def spend(self) -> None:
        """Raises `ToolError` if the link was used before."""
        if not seal().spend(self.signed):
            raise ToolError("used_up", f"This link was used before. {ASK_AGAIN}")


async def serve_file(request: ASGIRequest, receive: Any, send: Any) -> None:
    """Answer a request to a link. Raises `HttpError` and `Disconnected`."""
    host_of(request)
    method = request.method or ""
    telemetry.annotate(method=f"files/{PURPOSES.get(method, '')}")
    if method not in PURPOSES:
        raise HttpError(405, "Use GET or PUT, as the link came.", [("Allow", "GET, PUT")])
    try:
        link, signed = opened(request.path_info, PURPOSES[method], seal())
    except BadLink as problem:
        raise HttpError(404, BAD_LINK, [CLOSE]) from problem
    telemetry.annotate(entity=link.entity)
    use = Use(link, signed, origin_of(request), rate_limits.Slot())
    try:
        if link.purpose == DOWNLOAD:
            await _download(use, send)
        else:
            await _upload(use, request, receive, send)
    finally:
        rate_limits.leave(use.slot)


async def _in_pool(work: Callable[[], T]) -> T:
    """The result of work on a pool thread. Raises `HttpError`."""
    with refusals():
        return await thread_pool.in_pool_within(work, Deadline(mcp_settings().CALL_SECONDS))


async def _download(use: Use, send: Any) -> None:
    name, response = await _in_pool(lambda: _opened(use))
    try:
        async with asyncio.timeout(TRANSFER_SECONDS):
            await _stream(name, response, send)
    except TimeoutError:
        # The answer is cut short, which ends the connection.
        return
    finally:
        thread_pool.submit(response.close)


async def _stream(name: str, response: HttpResponseBase, send: Any) -> None:
    headers = [("Content-Type", type_of(name)), ("Accept-Ranges", "none"), *PLAIN]
    headers.append(("Content-Disposition", content_disposition_header(True, name) or "attachment"))
    if length := response.headers.get("Content-Length"):
        headers.append(("Content-Length", length))
    await send({"type": "http.response.start", "status": 200, "headers": ascii_headers(headers)})
    telemetry.annotate(outcome=telemetry.OK)
    pieces = iter(response)
    while piece := await thread_pool.in_pool(lambda: b"".join(islice(pieces, PIECES))):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _opened(use: Use) -> tuple[str, HttpResponseBase]:
    """The file's name and the CRM's answer that holds it. Raises `HttpError`."""
    link, part = use.link, use.part
    with _admitted(use) as call:
        catalogue = mcp_settings().catalogue
        gateway = InProcessGateway(
            catalogue, call.caller, call.secret, use.origin, deadline=call.deadline
        )

        def work() -> tuple[str, HttpResponseBase]:
            with gateway.session():
                rows = part_rows(crm_with(gateway), use.entity, part, link.record_id)
                named = {str(row.get("id")): str(row.get("file_name") or "") for row in rows}
                if link.file not in named:
                    raise ToolError("not_found", "The file is no longer attached to the record.")
                use.spend()
                return _safe(named[link.file]), _given(gateway, part.download.format(id=link.file))

        write = Write("download", link.entity, link.record_id, "")
        return _or_refusal(lambda: Audit(write, call.caller, call.deadline).of(work))


def _given(gateway: InProcessGateway, path: str) -> HttpResponseBase:
    response = gateway.download(path)
    if response.status_code == 200:
        return response
    response.close()
    if response.status_code in (403, 404):
        code = "forbidden" if response.status_code == 403 else "not_found"
        raise ToolError(code, "The CRM does not give this file.")
    raise ToolError("crm_error", "The CRM failed to give this file.")


def _safe(name: str) -> str:
    """A name that every system can save under, and that nothing invisible turns round."""
    printable = (each for each in name if each.isprintable())
    shown = "".join("_" if each in FORBIDDEN_IN_NAMES else each for each in printable)
    shown = shown.lstrip(". ").rstrip(". ") or "file"
    return f"_{shown}" if is_device(shown) else shown


async def _upload(use: Use, request: ASGIRequest, receive: Any, send: Any) -> None:
    most = mcp_settings().MAX_FILE_BYTES
    content_type = _content_type(use.link.file, request.headers.get("Content-Type", ""))
    require_declared_size(request.scope, most)
    await _in_pool(lambda: _begun(use))
    content = await read_body(request.scope, receive, most, seconds=TRANSFER_SECONDS)
    if not content:
        raise HttpError(400, f"The file is empty. {NOTHING_CHANGED}")
    file = NewFile(use.link.file, content_type, content)
    answer = await _in_pool(lambda: _attached(use, file))
    telemetry.annotate(outcome=telemetry.OK)
    headers = ascii_headers([("Content-Type", "application/json"), *PLAIN])
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": compact(answer).encode()})


def _content_type(file_name: str, given: str) -> str:
    """The content type of the name. Raises `HttpError` where the client says another."""
    expected = type_of(file_name)
    if given.partition(";")[0].strip().lower() not in ("", BINARY, expected):
        raise HttpError(415, f"Send it with Content-Type: {expected}.", [CLOSE])
    return expected


def _begun(use: Use) -> None:
    """The link counts from here on, so that one body is read for each."""
    with _admitted(use) as call:
        if call.caller.read_only:
            raise HttpError(403, call.caller.read_only, [CLOSE])
        _or_refusal(use.spend)


def _attached(use: Use, file: NewFile) -> dict[str, Any]:
    """What is attached now. The token is looked up anew: the body may have taken its time."""
    link, entity = use.link, use.entity
    action = next(each for each in entity.actions if each.upload)
    with token_policy.request_cache(), _acting_as(link) as secret:
        call = Call(authenticate(secret), secret, use.origin, Deadline(mcp_settings().CALL_SECONDS))
        _require_unchanged(link, call.caller)
        write = Write("upload", entity.name, link.record_id, "")
        audit = Audit(write, call.caller, call.deadline, ("attachments",))
        gateway = InProcessGateway(
            mcp_settings().catalogue,
            call.caller,
            secret,
            use.origin,
            deadline=call.deadline,
            for_write=lambda: authenticated_again(call),
            # The entry is of the record: what the write makes is a row of its files.
            note=lambda written: audit.note(replace(written, record_id="")),
            count_write=partial(token_policy.count_write, call.caller),
        )

        def work() -> dict[str, Any]:
            # Asked first: for one that is gone, some routes of the CRM fail.
            record_acted_on(crm_with(gateway), entity, action, link.record_id)
            path = action.path.format(id=link.record_id)
            reply = gateway.attach(path, use.part, action.upload, file)
            raise_for(reply, f"{entity.singular} {link.record_id}", wrote=True)
            return {"id": reply.created_id}

        made = _or_refusal(lambda: audit.of(work))
    attachment = {
        "id": made["id"],
        "file_name": file.name,
        "type": file.content_type,
        "size": len(file.content),
    }
    return {"entity": entity.name, "id": link.record_id, "attachment": attachment}


@contextmanager
def _acting_as(link: Link) -> Iterator[str]:
    try:
        with token_policy.acting_as(link.org_id, link.token_id) as secret:
            yield secret
    except Unauthorized as refusal:
        raise HttpError(403, f"{ENDED} {NOTHING_CHANGED}", [CLOSE]) from refusal


@contextmanager
def _admitted(use: Use) -> Iterator[Call]:
    """The call of the person that the link was made for, with a slot of theirs."""
    with _acting_as(use.link) as secret:
        call, has_slot = admitted(secret, use.origin, use.slot)
        # Of the stand-in, which nobody knows.
        telemetry.annotate(token_prefix="")
        _require_unchanged(use.link, call.caller)
        if not has_slot:
            raise rate_limits.TooManyCalls("Too many calls at once.", 1)
        yield call


def _require_unchanged(link: Link, caller: Caller) -> None:
    """Raises `HttpError` where the token is not as it was when the link was made."""
    if state_of(caller) != link.made_under:
        raise HttpError(403, f"{CHANGED} {NOTHING_CHANGED}", [CLOSE])


def _or_refusal(work: Callable[[], T]) -> T:
    try:
        return work()
    except ToolError as problem:
        telemetry.annotate(outcome=problem.code)
        status = STATUS.get(problem.code, 502 if problem.code == "crm_error" else 400)
        raise HttpError(status, f"{problem.message} {problem.hint}".strip(), [CLOSE]) from problem
    except GatewayError as problem:
        telemetry.annotate(outcome=problem.code)
        raise HttpError(STATUS.get(problem.code, 503), str(problem), [CLOSE]) from problem
