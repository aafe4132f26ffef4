"""In-process requests to the host's own endpoints of the sign-in, through its whole middleware.

So the host's limits, audit and rules hold. Called from our middleware, before an organisation is
set: on the way back the host's middleware clears the context of the thread.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

# What tells the host where the person comes from. No cookie and no credential.
COPIED = (
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_FORWARDED",
    "HTTP_HOST",
    "HTTP_USER_AGENT",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "REMOTE_ADDR",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
)


@dataclass(frozen=True)
class Answer:
    """What the host said; `data` is empty where that was no JSON object."""

    status: int
    data: Mapping[str, Any]


@cache
def _handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler


@sensitive_variables()
def post(request: HttpRequest, path: str, body: Mapping[str, str]) -> Answer:
    """POST this JSON object to a path of the host, as the browser that sent `request`."""
    sent = json.dumps(body).encode()
    environ = {name: request.META[name] for name in COPIED if name in request.META}
    inner = WSGIRequest(
        {
            **environ,
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(sent)),
            "HTTP_ACCEPT": "application/json",
            "wsgi.url_scheme": request.scheme,
            "wsgi.input": BytesIO(sent),
        }
    )
    response = _handler().get_response(inner)
    return Answer(response.status_code, _object(getattr(response, "content", b"")))


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(content)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
