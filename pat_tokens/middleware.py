"""Middleware: a request made with a token gets the identity that the host's credentials give.

The pages get the person who signed in to them.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, cast

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone

from pat_tokens.audit.source import coming_from, source_of
from pat_tokens.audit.usage import record_refusal, record_use
from pat_tokens.lists.moments import zone_of
from pat_tokens.models import Token
from pat_tokens.resolver import TokenRejected, resolve_presented
from pat_tokens.scopes import OUR_APPS
from pat_tokens.secret import from_header, has_valid_checksum, made_with_credential
from pat_tokens.services.policy import denial, host_token_denial, limit_denial
from pat_tokens.sign_in.destinations import is_page
from pat_tokens.sign_in.gate import serve_page

logger = logging.getLogger("pat_tokens")

# Headers in which the host looks for who it is; an attribute of requests that keeps them meanwhile.
CREDENTIALS = frozenset({"HTTP_AUTHORIZATION", "HTTP_TOKEN"})
HIDDEN = "_hidden_credentials"
UNAVAILABLE = "The CRM's database does not answer. Try again in a moment."


class IdentifiedRequest(HttpRequest):
    """What the host's views and authentication classes look for on a request."""

    profile: Any
    org: Any
    _pat: Token


class HideToken:
    """Belongs before the host's identity middleware, which would look for our token among its own
    and log that it is invalid. `TokenContext`, right behind that, shows the token again.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if has_valid_checksum(from_header(request.META.get("HTTP_AUTHORIZATION", "")) or ""):
            # Of several credentials the token counts, so the others are not seen either.
            hidden = {name: request.META.pop(name) for name in CREDENTIALS & request.META.keys()}
            setattr(request, HIDDEN, hidden)
            _read_headers_anew(request)
        return self.get_response(request)


class TokenContext:
    """Belongs after the host's identity middleware, and before what sets `app.current_org`."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _show_hidden(request)
        with coming_from(source_of(request)):
            try:
                return self._answer(request)
            except OperationalError:
                logger.exception("The database could not be asked who this is")
                return _unavailable(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if is_page(request) and not made_with_credential(request):
            return serve_page(request, self.get_response)
        if getattr(request, "_pat", None) is not None:
            return self._with_host_token(cast(IdentifiedRequest, request))
        token = None if _is_identified(request) else _presented_token(request)
        return self.get_response(request) if token is None else self._with(token, request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """Our own views answer in their own form where the database does not."""
        match = request.resolver_match
        is_ours = match is not None and not OUR_APPS.isdisjoint(match.app_names)
        if not is_ours or not isinstance(problem, OperationalError):
            return None
        logger.error("The database did not answer", exc_info=problem)
        return _unavailable(request)

    def _with(self, token: Token, request: HttpRequest) -> HttpResponseBase:
        # Before anything is attached: a refused request leaves no identity behind.
        if reason := denial(token, request.method, request.path_info):
            return _refused(token, reason)
        if reason := limit_denial(token.org_id, token.credential_id, request):
            return _refused(token, reason)
        _attach(cast(IdentifiedRequest, request), token)
        record_use(token)
        with _in_timezone_of(token.org):
            return self.get_response(request)

    def _with_host_token(self, request: IdentifiedRequest) -> HttpResponseBase:
        """The organisation's policy binds the host's own tokens too."""
        token, org_id = request._pat, request.org.pk
        if reason := host_token_denial(token, org_id, request.method) or limit_denial(
            org_id, token.pk, request
        ):
            logger.warning("Token %s of the host refused: %s", token.pk, reason)
            return JsonResponse({"detail": reason}, status=403)
        return self.get_response(request)


def _refused(token: Token, reason: str) -> JsonResponse:
    record_refusal(token, reason)
    return JsonResponse({"detail": reason}, status=403)


def _show_hidden(request: HttpRequest) -> None:
    hidden: dict[str, str] = request.__dict__.pop(HIDDEN, {})
    if hidden:
        request.META.update(hidden)
        _read_headers_anew(request)


def _read_headers_anew(request: HttpRequest) -> None:
    # Django keeps what it has read of them.
    request.__dict__.pop("headers", None)


def _unavailable(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": "5", "Cache-Control": "no-store"}
    if is_page(request):
        return HttpResponse(f"{UNAVAILABLE}\n", "text/plain", status=503, headers=headers)
    return JsonResponse({"detail": UNAVAILABLE}, status=503, headers=headers)


def _is_identified(request: HttpRequest) -> bool:
    return any(getattr(request, name, None) is not None for name in ("profile", "org"))


def _presented_token(request: HttpRequest) -> Token | None:
    secret = from_header(request.META.get("HTTP_AUTHORIZATION", ""))
    if secret is None:
        return None
    try:
        return resolve_presented(secret)
    except TokenRejected:
        # The host answers, as it answers any request without an identity.
        return None


def _attach(request: IdentifiedRequest, token: Token) -> None:
    request.profile = token.profile
    request.org = token.org
    request._pat = token
    request.META["org"] = str(token.org_id)
    request.META["pat_token_id"] = str(token.id)


def _in_timezone_of(org: Any) -> AbstractContextManager[None]:
    return timezone.override(zone_of(org))
