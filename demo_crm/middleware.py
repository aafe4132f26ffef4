from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve
from django.utils import timezone

from demo_crm.identity import profile_of
from demo_crm.permissions import HasOrgContext
from demo_crm.row_security import set_current_org

GetResponse = Callable[[HttpRequest], HttpResponse]
PUBLIC_PATHS = {"/api/auth/login/"}


class IdentityMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        profile = profile_of(request)
        request.access_profile = request.profile = profile  # type: ignore[attr-defined]
        request.org = profile.org if profile else None  # type: ignore[attr-defined]
        return self.get_response(request)


class OrgContextMiddleware:
    """Runs after every credential has had its say, and opens the organisation's rows."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        org = getattr(request, "org", None)
        if org is None:
            return self.get_response(request) if _is_public(request.path) else _refusal()
        # Worker threads are reused: neither setting may be left for the next request.
        timezone.activate(ZoneInfo(org.timezone))
        set_current_org(org.pk)
        try:
            return self.get_response(request)
        finally:
            set_current_org(None)
            timezone.deactivate()


def _is_public(path: str) -> bool:
    if not path.startswith("/api/") or path in PUBLIC_PATHS:
        return True
    try:
        resolve(path)
    except Resolver404:
        return True
    return False


def _refusal() -> HttpResponse:
    return JsonResponse({"detail": HasOrgContext.message}, status=403)
