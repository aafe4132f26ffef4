"""Sign-in by e-mail address and a code of six digits, as BottleCRM's endpoints have it."""

import logging
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from pat_tokens.host.owners import memberships_of
from pat_tokens.sign_in import host_endpoints, session
from pat_tokens.sign_in.base import SignIn
from pat_tokens.sign_in.destinations import with_next

logger = logging.getLogger("pat_tokens")

REQUEST = "/api/auth/magic-link/request/"
VERIFY = "/api/auth/magic-link/verify-code/"
# The address between the two steps; as long as BottleCRM's codes are good.
ADDRESS_COOKIE = "pat_tokens_address"
ADDRESS_LIFETIME = timedelta(minutes=10)
NOT_NOW = "The CRM can't do this at present. Try again in a few minutes."
WRONG = (
    "This code is not right, or it is not good any more. A code lasts ten minutes and five tries; "
    "you can have another one."
)
EXPIRED = "The code has expired. Say once more where to send one."


class PageRequest(HttpRequest):
    pat_tokens_session: SessionBase


class AddressForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )

    def clean_code(self) -> str:
        """Without the blanks that people and phones put into a code."""
        return "".join(str(self.cleaned_data["code"]).split())


class EmailCode(SignIn):
    """The session is of its own: no other page or endpoint of the host knows it."""

    def open(self, request: HttpRequest) -> None:
        cast(PageRequest, request).pat_tokens_session = session.load(request)

    def close(self, request: HttpRequest, response: HttpResponseBase) -> None:
        session.store(self.session(request), request, response)

    def session(self, request: HttpRequest) -> SessionBase:
        return cast(PageRequest, request).pat_tokens_session

    def user_pk(self, request: HttpRequest) -> Any:
        return self.session(request).get(session.USER)

    def end(self, request: HttpRequest) -> None:
        self.session(request).flush()

    def page(self, request: HttpRequest, destination: str) -> HttpResponse:
        address = session.signed(request, ADDRESS_COOKIE, ADDRESS_LIFETIME)
        if "email" in request.POST:
            return _send(request, destination)
        if "again" in request.POST:
            return _start_again(request, destination)
        if "code" in request.POST:
            return self._verify(request, destination, address)
        if address:
            return _ask_code(request, destination, address, CodeForm())
        return _ask_address(request, destination, AddressForm())

    @sensitive_variables()
    def _verify(self, request: HttpRequest, destination: str, address: str) -> HttpResponse:
        form = CodeForm(request.POST)
        if not address:
            return _ask_address(request, destination, AddressForm(), EXPIRED)
        if not form.is_valid():
            return _ask_code(request, destination, address, form)
        sent = {"email": address, "code": form.cleaned_data["code"]}
        answer = host_endpoints.post(request, VERIFY, sent)
        if answer.status == 400:
            form.add_error("code", WRONG)
            return _ask_code(request, destination, address, form)
        if answer.status not in (200, 403):
            return _ask_code(request, destination, address, form, _failed(VERIFY, answer))
        # The tokens of the answer are for the host's API: nobody keeps them. 403 is a user who
        # was deactivated.
        user_pk = (answer.data.get("user") or {}).get("id") if answer.status == 200 else None
        if user_pk and memberships_of(user_pk):
            session.begin(self.session(request), str(user_pk))
            response: HttpResponse = redirect(destination)
        else:
            response = nobody(request, destination, address)
        session.forget(response, ADDRESS_COOKIE, request)
        return response


def _send(request: HttpRequest, destination: str) -> HttpResponse:
    """Have the host mail a code; what follows is the same whoever has the address, or nobody."""
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _ask_address(request, destination, form)
    address = form.cleaned_data["email"]
    answer = host_endpoints.post(request, REQUEST, {"email": address, "delivery": "code"})
    if answer.status != 200:
        return _ask_address(request, destination, form, _failed(REQUEST, answer))
    response = redirect(with_next("sign-in", destination))
    session.set_signed(response, ADDRESS_COOKIE, address, request)
    return response


def _start_again(request: HttpRequest, destination: str) -> HttpResponse:
    response = redirect(with_next("sign-in", destination))
    session.forget(response, ADDRESS_COOKIE, request)
    return response


def _failed(path: str, answer: host_endpoints.Answer) -> str:
    logger.error("Nobody can sign in to the pages: %s answered %s", path, answer.status)
    return NOT_NOW


def _ask_address(
    request: HttpRequest, destination: str, form: forms.Form, problem: str = ""
) -> HttpResponse:
    context = {"form": form, "next": destination, "problem": problem}
    status = 503 if problem == NOT_NOW else 400 if problem or form.errors else 200
    return render(request, "pat_tokens/sign_in/address.html", context, status=status)


def _ask_code(
    request: HttpRequest, destination: str, address: str, form: forms.Form, problem: str = ""
) -> HttpResponse:
    context = {"form": form, "next": destination, "address": address, "problem": problem}
    status = 503 if problem else 400 if form.errors else 200
    return render(request, "pat_tokens/sign_in/code.html", context, status=status)


def nobody(request: HttpRequest, destination: str, address: str) -> HttpResponse:
    context = {"address": address, "again": with_next("sign-in", destination)}
    return render(request, "pat_tokens/sign_in/nobody.html", context, status=403)
