"""Person that the doctor acts as, with a token that is never committed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.gateway.in_process.gateway import ORG_VARIABLE, InProcessGateway, Origin
from bottlecrm_mcp.hosted.authentication import Unauthorized, authenticate
from bottlecrm_mcp.hosted.execution import crm_with
from bottlecrm_mcp.tools.crm import Crm

TOKEN_VARIABLE = "BCRM_TOKEN"
NO_TOKEN = (
    "Add 'pat_tokens' to INSTALLED_APPS, or put a token of that person into the environment "
    f"variable {TOKEN_VARIABLE}."
)


class NoPerson(Exception):
    """Nobody to act as; the message says what to do."""


@dataclass(frozen=True)
class Person:
    """`token` is the row of a token that was made for the doctor: each transaction inserts it."""

    caller: Caller
    secret: str
    token: Any = None

    def gateway(self) -> InProcessGateway:
        return InProcessGateway(mcp_settings().catalogue, self.caller, self.secret, origin())

    def crm(self) -> Crm:
        """What a tool call over /mcp would work with."""
        return crm_with(self.gateway())

    def sign_in(self) -> None:
        """Only within `never_committed`."""
        if self.token is None:
            return
        # A use that is recorded already, and an address that is known, are not written again.
        self.token.last_used_at = timezone.now()
        self.token.last_used_address = origin().client
        with in_organisation(self.caller.org_id):
            type(self.token).objects.bulk_create([self.token], ignore_conflicts=True)


@contextmanager
def in_organisation(org_id: str) -> Iterator[None]:
    """The rows of this organisation are open within, and no rows afterwards."""
    _set_organisation(org_id)
    yield
    _set_organisation("")


def _set_organisation(org_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [ORG_VARIABLE, org_id])


def person(email: str, org: str) -> Person:
    """This member of this organisation. Raises `NoPerson`."""
    if not apps.is_installed("pat_tokens"):
        return _token_bearer(email, org)
    members = _members().filter(user__email__iexact=email, org__name=org)
    if not members:
        raise NoPerson(f"No {email} is an active member of an active organisation {org!r}.")
    if len(members) > 1:
        raise NoPerson(f"Several organisations are called {org!r} and have {email} as a member.")
    return _with_token(members[0])


def anyone() -> Person:
    """Some active member, for checks that need one. Raises `NoPerson`."""
    if not apps.is_installed("pat_tokens"):
        return _token_bearer("", "")
    member = _members().first()
    if member is None:
        raise NoPerson("No organisation has an active member yet.")
    return _with_token(member)


def colleague(person: Person) -> Person:
    """Another member of the same organisation, an administrator if there is one."""
    if not apps.is_installed("pat_tokens"):
        raise NoPerson("It takes a second person, and there is a token of one only.")
    caller = person.caller
    others = _members().filter(org_id=caller.org_id).exclude(pk=caller.profile_id)
    other = others.filter(role="ADMIN").first() or others.first()
    if other is None:
        raise NoPerson(f"It takes a second member of {caller.org_name!r}.")
    return _with_token(other)


def _members() -> QuerySet[Any]:
    owners: Any = apps.get_model(settings.PAT_TOKENS_OWNER_MODEL)
    members: QuerySet[Any] = owners._default_manager.filter(
        is_active=True, user__is_active=True, org__is_active=True
    )
    return members.select_related("user", "org").order_by("pk")


def _with_token(profile: Any) -> Person:
    from pat_tokens.mcp_endpoint import Token

    expiry = timezone.now() + timedelta(hours=1)
    with in_organisation(str(profile.org.pk)):
        token, secret = Token.create(owner=profile, name="mcp_doctor", expires_at=expiry)
    return Person(authenticate(secret), secret, token)


def _token_bearer(email: str, org: str) -> Person:
    secret = os.environ.get(TOKEN_VARIABLE, "")
    if not secret:
        raise NoPerson(NO_TOKEN)
    try:
        caller = authenticate(secret)
    except Unauthorized as refusal:
        raise NoPerson(f"{TOKEN_VARIABLE}: {refusal}") from refusal
    if email and (caller.email.lower(), caller.org_name) != (email.lower(), org):
        raise NoPerson(
            f"The token in {TOKEN_VARIABLE} is that of {caller.email} in {caller.org_name!r}."
        )
    return Person(caller, secret)


def origin() -> Origin:
    """A request from inside that the host's own checks of host name and scheme let pass."""
    hosts = (host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*")
    secure = settings.SECURE_SSL_REDIRECT
    headers = (settings.SECURE_PROXY_SSL_HEADER,) if settings.SECURE_PROXY_SSL_HEADER else ()
    return Origin(
        host=next(hosts, "localhost"),
        port="443" if secure else "80",
        scheme="https" if secure else "http",
        headers=headers if secure else (),
    )
