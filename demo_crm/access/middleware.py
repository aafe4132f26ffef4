"""Middleware: the identity of a request and the organisation that it sees, as in BottleCRM."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve
from django.utils import timezone

from demo_crm.access.identity import profile_of
from demo_crm.access.permissions import HasOrgContext
from demo_crm.access.row_security import org_context

GetResponse = Callable[[HttpRequest], HttpResponse]
# As BottleCRM lists what needs no organisation; everything else that resolves does.
PUBLIC_PATHS = {
    "/",
    "/become/",
    "/sign-in/",
    "/sign-out/",
    "/api/auth/login/",
    "/api/auth/magic-link/request/",
    "/api/auth/magic-link/verify-code/",
}


class IdentityMiddleware:
    """Who an access token was issued to; the organisation's day is the request's day."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        profile = profile_of(request)
        request.access_profile = request.profile = profile  # type: ignore[attr-defined]
        request.org = profile.org if profile else None  # type: ignore[attr-defined]
        with timezone.override(ZoneInfo(profile.org.timezone) if profile else None):
            return self.get_response(request)


class OrgContextMiddleware:
    """Runs after every credential has had its say, and opens the organisation's rows."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        org = getattr(request, "org", None)
        if org is None:
            return self.get_response(request) if _is_public(request.path) else _refusal()
        with org_context(org):
            return self.get_response(request)


def _is_public(path: str) -> bool:
    if path in PUBLIC_PATHS:
        return True
    try:
        resolve(path)
    except Resolver404:
        return True
    return False


def _refusal() -> HttpResponse:
    return JsonResponse({"detail": HasOrgContext.message}, status=403)
