"""Sign-in with a browser and a password. BottleCRM has no such thing: it mails codes and links."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import RedirectView

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
