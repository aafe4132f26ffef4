"""Sign-in of a host that has its own, with Django's sessions."""

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse

from pat_tokens.sign_in.base import SignIn


class DjangoLogin(SignIn):
    """Whoever is signed in to the host is signed in to the pages; others go to `LOGIN_URL`."""

    def session(self, request: HttpRequest) -> SessionBase:
        return request.session

    def user_pk(self, request: HttpRequest) -> Any:
        return request.user.pk if request.user.is_authenticated else None

    def page(self, request: HttpRequest, destination: str) -> HttpResponse:
        return redirect_to_login(destination)

    def end(self, request: HttpRequest) -> None:
        logout(request)
