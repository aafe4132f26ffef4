"""Sign-in with a browser and a password. BottleCRM has no such thing: it mails codes and links."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import RedirectView

from pat_tokens.pages.access import secured


class SignIn(LoginView):
    """By e-mail and password; where the demo is run, also by one click."""

    template_name = "demo_crm/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(people=settings.DEMO_PEOPLE, **context)


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="pat_tokens_page:tokens")),
    path("sign-in/", secured(SignIn.as_view()), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
]
