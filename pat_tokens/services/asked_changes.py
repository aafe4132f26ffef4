"""Changes that a request to the host's own API asks for, as far as it tells."""

import json
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError
from rest_framework.utils.mediatypes import media_type_matches

from pat_tokens.scopes import READ_METHODS

# Parts of a path, of whatever method: what hides records, and what mails somebody.
DELETING = frozenset({"delete", "merge"})
MAILING = frozenset({"send", "create_mail"})


class TooLongToCount(Exception):
    """The body is longer than Django reads; the message says so to the client."""


class AskedChanges(NamedTuple):
    """How many records a request would change; `deletes` and `mails` are among the `writes`."""

    writes: int = 0
    deletes: int = 0
    mails: int = 0


def changes_asked(request: HttpRequest) -> AskedChanges:
    """Those of one record, or of as many as the JSON body lists. Raises `TooLongToCount`."""
    if request.method in READ_METHODS:
        return AskedChanges()
    records = max(1, _listed(request))
    parts = set(request.path_info.split("/"))
    is_delete = request.method == "DELETE" or parts & DELETING
    return AskedChanges(records, records if is_delete else 0, records if parts & MAILING else 0)


def _listed(request: HttpRequest) -> int:
    """Of a body that is a list, or has `ids`, how many they are. An object would do for a list."""
    if not _may_be_json(request.content_type or ""):
        return 0
    try:
        body = request.body
    except RequestDataTooBig:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise TooLongToCount(
            f"The body of this request is longer than {limit} bytes, so that what it would change "
            "can't be counted."
        ) from None
    except UnreadablePostError:
        return 0
    try:
        # In the charset that the view will read it in.
        said: Any = json.loads(body.decode(request.encoding or settings.DEFAULT_CHARSET))
    except (ValueError, LookupError, RecursionError):
        return 0
    ids = said.get("ids") if isinstance(said, dict) else said
    return len(ids) if isinstance(ids, list | dict) else 0


def _may_be_json(content_type: str) -> bool:
    """Whether a view may take this for JSON: `*/*` is whichever parser it has first, for DRF."""
    is_named = content_type.lower().endswith("json")
    return is_named or media_type_matches("application/json", content_type)
