"""Base class of the ways to sign in, and the one that the settings name."""

from abc import ABC, abstractmethod
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from pat_tokens.conf import token_settings

# In the session: the membership that the person works in.
MEMBER = "pat_tokens_member"


class SignIn(ABC):
    """How people prove who they are; `PAT_TOKENS_SIGN_IN` is the dotted path of a subclass."""

    def open(self, request: HttpRequest) -> None:  # noqa: B027  (a host may do it by itself)
        """Read what the request says of who is signed in; called before a page."""

    def close(  # noqa: B027
        self, request: HttpRequest, response: HttpResponseBase
    ) -> None:
        """Store what the page has changed of it; called after a page."""

    @abstractmethod
    def session(self, request: HttpRequest) -> SessionBase:
        """The session of the signed-in person."""

    @abstractmethod
    def user_pk(self, request: HttpRequest) -> Any:
        """The primary key of the user who is signed in; None if nobody is."""

    @abstractmethod
    def page(self, request: HttpRequest, destination: str) -> HttpResponse:
        """Answer the page at `sign-in/`, to which POSTs of its forms go too.

        Whoever has signed in is redirected to `destination`, a path of the pages.
        """

    @abstractmethod
    def end(self, request: HttpRequest) -> None:
        """Sign the person out."""


def sign_in() -> SignIn:
    """The way to sign in that the settings name."""
    way: SignIn = token_settings.sign_in()
    return way
