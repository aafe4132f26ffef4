"""Streamed files: sent in pieces, by WSGI and by ASGI servers."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from pat_tokens.api.views import NEVER_STORED


def csv_stream(request: HttpRequest, name: str, pieces: Iterator[str]) -> StreamingHttpResponse:
    """The pieces as a CSV file that is called by this name and today's date."""
    disposition = f'attachment; filename="{name}-{timezone.localdate()}.csv"'
    # Under ASGI Django would read the whole of what is not asynchronous before it sends any of it.
    content: Any = _in_turn(pieces) if isinstance(request, ASGIRequest) else pieces
    headers = {"Content-Disposition": disposition, **NEVER_STORED}
    return StreamingHttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


async def _in_turn(pieces: Iterator[str]) -> AsyncIterator[str]:
    read = sync_to_async(lambda: next(pieces, None))
    while (piece := await read()) is not None:
        yield piece
