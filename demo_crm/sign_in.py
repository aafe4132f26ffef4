"""Sign-in with a browser. BottleCRM has no such thing: its web application uses the API."""

from zoneinfo import ZoneInfo

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.generic import RedirectView

from demo_crm.middleware import GetResponse
from demo_crm.models import Profile
from pat_tokens.pages.access import secured

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="pat_tokens_page:tokens")),
    path(
        "sign-in/",
        secured(
            LoginView.as_view(
                template_name="demo_crm/sign_in.html", redirect_authenticated_user=True
            )
        ),
        name="sign-in",
    ),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
]


class SessionIdentity:
    """The membership of whoever signed in with a browser.

    Not for the API, whose views take no CSRF token.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        profile = None if request.path.startswith("/api/") else _membership(request)
        if profile is None:
            return self.get_response(request)
        request.profile, request.org = profile, profile.org  # type: ignore[attr-defined]
        with timezone.override(ZoneInfo(profile.org.timezone)):
            return self.get_response(request)


def _membership(request: HttpRequest) -> Profile | None:
    if not request.user.is_authenticated:
        return None
    return (
        Profile.objects.select_related("user", "org")
        .filter(user_id=request.user.pk, is_active=True, org__is_active=True)
        .order_by("created_at")
        .first()
    )
