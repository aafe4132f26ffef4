"""Codes and refresh tokens: each is good once, and used again ends its connection."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from pat_tokens import secret as token_secret
from pat_tokens.models import AuthorizationCode, Connection, Event, RefreshToken, Token
from pat_tokens.oauth.clients import record_use
from pat_tokens.oauth.connections import end_connection
from pat_tokens.rls import in_organisation, presenting
from pat_tokens.services.client_policy import client_denial
from pat_tokens.services.policy import policy_of
from pat_tokens.services.stop import stop_denial

CODE_LIFETIME = timedelta(seconds=60)
# Long for an access token: it is looked up at each request, so that ending it does not wait for
# its expiry, and some clients don't refresh in the middle of a conversation.
ACCESS_LIFETIME = timedelta(hours=8)
REFRESH_LIFETIME = timedelta(days=30)
# Clients with several processes refresh at the same moment, or lose an answer.
GRACE = timedelta(seconds=30)
HOUR = timedelta(hours=1)
PER_HOUR = 60
MOST_ACCESS_TOKENS = 20

Credential = TypeVar("Credential", AuthorizationCode, RefreshToken)


class TooManyRefreshes(Exception):
    """The connection has to wait; nothing was used up."""


class AgentsStopped(Exception):
    """An administrator has stopped all; the message says so. Nothing was used up."""


class NotGranted(Exception):
    """No tokens; the message says why, to the client (`invalid_grant` of RFC 6749)."""


@dataclass(frozen=True)
class Grant:
    """A new access token, with the refresh token that gets the next one."""

    access_token: str
    refresh_token: str
    expires_in: int
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Grant of {', '.join(self.scopes)}>"


@sensitive_variables("secret")
def new_code(connection: Connection, **asked: object) -> str:
    """A code for the connection that a person just agreed to. Within its organisation."""
    secret = token_secret.generate(token_secret.CODE_PREFIX)
    AuthorizationCode.objects.create(
        connection=connection,
        org_id=connection.org_id,
        digest=token_secret.digest(secret),
        expires_at=timezone.now() + CODE_LIFETIME,
        **asked,
    )
    return secret


@sensitive_variables("secret")
def find_code(secret: str) -> AuthorizationCode | None:
    """The code, with its connection. One that was used already ends that connection."""
    code = _presented(AuthorizationCode, secret)
    if code is not None and code.used_at is not None:
        _end_replayed(code.connection, "an authorization code was used twice")
        return None
    return code


@sensitive_variables("secret")
def find_refresh_token(secret: str) -> RefreshToken | None:
    """The refresh token, with its connection, whatever its state."""
    row = _presented(RefreshToken, secret)
    if row is not None:
        row.next_secret = token_secret.following(secret, token_secret.REFRESH_PREFIX)
    return row


def _presented(model: type[Credential], secret: str) -> Credential | None:
    digest = token_secret.digest(secret)
    with presenting(digest):
        row = model._default_manager.filter(digest=digest).first()
    if row is None:
        return None
    with in_organisation(row.org_id):
        return model._default_manager.select_related("connection").get(pk=row.pk)


def redeem_code(code: AuthorizationCode) -> Grant:
    """The first tokens of a connection. Raises `NotGranted` and `AgentsStopped`."""
    now = timezone.now()
    with in_organisation(code.org_id):
        _require_not_stopped(code.org_id)
        connection = _locked(code.connection_id)
        unused = AuthorizationCode.objects.filter(pk=code.pk, used_at=None)
        if unused.update(used_at=now):
            refusal = _refusal(connection)
            if refusal is None:
                connection.redeemed_at = now
                _end_replaced(connection)
                return _issue(connection, now)
        else:
            refusal = "The code was used before."
            _end_replayed(connection, "an authorization code was used twice")
    raise NotGranted(refusal)


def refresh(token: RefreshToken) -> Grant:
    """The next tokens of a connection, in the place of this one.

    Within `GRACE` each use gives the same refresh token, so that whoever got hold of this one has
    no chain of their own: the one of the two that comes later ends the connection. Raises
    `NotGranted`, `TooManyRefreshes` and `AgentsStopped`.
    """
    now = timezone.now()
    with in_organisation(token.org_id):
        _require_not_stopped(token.org_id)
        connection = _locked(token.connection_id)
        token.refresh_from_db()
        refusal = _refusal(connection)
        if refusal is None and token.used_at is not None and now - token.used_at > GRACE:
            refusal = "The refresh token was used before; the connection was ended."
            _end_replayed(connection, "a refresh token was used twice")
        if refusal is None:
            _require_rate(connection, now)
            RefreshToken.objects.filter(pk=token.pk, used_at=None).update(used_at=now)
            record_use(connection.client_id)
            return _issue(connection, now, token.next_secret)
    raise NotGranted(refusal)


def _require_rate(connection: Connection, now: datetime) -> None:
    lately = RefreshToken.objects.filter(connection=connection, created_at__gt=now - HOUR)
    if lately.count() >= PER_HOUR:
        raise TooManyRefreshes


def _require_not_stopped(org_id: UUID) -> None:
    if denial := stop_denial(policy_of(org_id).stop):
        raise AgentsStopped(denial)


def _locked(pk: UUID) -> Connection:
    rows = Connection.objects.governed().select_related("owner__user", "owner__org")
    connection: Connection = rows.select_for_update(of=("self",)).get(pk=pk)
    return connection


def _refusal(connection: Connection) -> str | None:
    if connection.status != "active":
        return connection.status_reason or "The connection has ended."
    owner = connection.owner
    if not (owner.is_active and owner.user.is_active and owner.org.is_active):
        return "The person who agreed to the connection is not active."
    policy = policy_of(connection.org_id)
    return client_denial(policy.clients, policy.client_hosts, connection.client_host)


def _end_replayed(connection: Connection, how: str) -> None:
    """Somebody else has it, or had it before: nobody may go on."""
    end_connection(connection, detail=how, kind=Event.Kind.REPLAYED)


def _end_replaced(connection: Connection) -> None:
    if connection.replaces_id is None:
        return
    earlier = Connection.objects.filter(
        pk=connection.replaces_id, org_id=connection.org_id, owner_id=connection.owner_id
    ).first()
    if earlier is not None:
        end_connection(earlier, detail="replaced by a new sign-in of the same client")


@sensitive_variables()
def _issue(connection: Connection, now: datetime, refresh_token: str = "") -> Grant:
    ends_at = connection.ends_at
    expires_at = min(now + ACCESS_LIFETIME, ends_at)
    connection.idle_expires_at = min(now + REFRESH_LIFETIME, ends_at)
    connection.save(update_fields=["redeemed_at", "idle_expires_at"])
    _drop_old_tokens(connection, now)
    _, access_token = Token.create(
        owner=connection.owner,
        connection=connection,
        name=connection.client_name,
        scopes=connection.scopes,
        expires_at=expires_at,
    )
    refresh_token = refresh_token or token_secret.generate(token_secret.REFRESH_PREFIX)
    RefreshToken.objects.get_or_create(
        digest=token_secret.digest(refresh_token),
        defaults={
            "connection": connection,
            "org_id": connection.org_id,
            "expires_at": connection.idle_expires_at,
        },
    )
    seconds = int((expires_at - now).total_seconds())
    return Grant(access_token, refresh_token, seconds, tuple(connection.scopes))


def _drop_old_tokens(connection: Connection, now: datetime) -> None:
    """Those that have expired, and the oldest of more than a client has processes."""
    tokens = Token.objects.filter(connection=connection)
    tokens.filter(expires_at__lt=now).delete()
    newest = tokens.order_by("-created_at").values_list("pk", flat=True)
    tokens.exclude(pk__in=list(newest[: MOST_ACCESS_TOKENS - 1])).delete()
