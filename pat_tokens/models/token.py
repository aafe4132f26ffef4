"""Token model: only a digest of the secret is stored."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, When
from django.db.models.functions import Cast, Coalesce, JSONObject, Now, TruncDate
from django.utils import timezone

from pat_tokens import secret as token_secret
from pat_tokens.conf import token_settings
from pat_tokens.models.connection import Connection
from pat_tokens.models.daily_count import DailyCount
from pat_tokens.models.expiry import EXPIRY_CEILING, validate_expiry
from pat_tokens.models.policy import Policy

# By the database's clock, for the query is compiled once.
TODAY = TruncDate(Now(), tzinfo=UTC)
COUNTED = JSONObject(writes="writes", deletes="deletes", mails="mails")
LIMITS = JSONObject(writes="max_writes", deletes="max_deletes", mails="max_mails")
# In one subquery: the database plans each of them anew where it keeps none prepared.
SAYS = JSONObject(
    agents="agents",
    days="max_lifetime_days",
    confirmation="confirmation",
    clients="clients",
    client_hosts="client_hosts",
    connection_days="max_connection_days",
    stop=Case(When(stopped_at__isnull=False, then="stop_reason")),
    limits=LIMITS,
)
Status = Literal["active", "paused", "expired", "revoked"]
NOTE_LENGTH = 500

T = TypeVar("T")


def is_live(policy: Policy) -> Q:
    """The condition that `Token.status` is active or paused, under this policy."""
    now = timezone.now()
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    if policy.max_lifetime is None:
        return live
    since = now - policy.max_lifetime
    return live & (Q(rotated_at=None, created_at__gt=since) | Q(rotated_at__gt=since))


def is_dead(policy: Policy) -> Q:
    """The opposite of `is_live`."""
    now = timezone.now()
    dead = Q(revoked_at__isnull=False) | Q(expires_at__lte=now)
    if policy.max_lifetime is None:
        return dead
    since = now - policy.max_lifetime
    return dead | Q(rotated_at=None, created_at__lte=since) | Q(rotated_at__lte=since)


class TokenQuerySet(models.QuerySet["Token"]):
    def personal(self) -> Self:
        """Those that people made, without the access tokens of connections."""
        return self.filter(connection=None)

    def governed(self) -> Self:
        """Each token with what its organisation's policy says, in the same query."""
        policy = Policy.objects.filter(org_id=OuterRef("org_id"))
        credential = Coalesce(OuterRef("connection_id"), OuterRef("id"))
        counted = DailyCount.objects.filter(
            org_id=OuterRef("org_id"), token_id=Cast(credential, models.CharField()), day=TODAY
        )
        return self.annotate(
            policy_says=Subquery(policy.values_list(SAYS)),
            counted_today=Subquery(counted.values_list(COUNTED)),
        )


class Said(Generic[T]):
    """One thing of what the policy says."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, token: "Token | None", owner: Any = None) -> T | None:
        return token.policy_says.get(self.name) if token and token.policy_says else None


class Token(models.Model):
    """An access token: acts as its owner, a person in one organisation.

    A person made it, or it is one of a connection's, and then it is good at /mcp only.

    Row-level security hides every row outside its organisation's context;
    `rls.presenting` opens the one row whose digest is presented.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    # No reverse name: the host's owner model may have tokens of its own.
    owner: models.ForeignKey[Any, Any] = models.ForeignKey(
        token_settings.owner_model, on_delete=models.CASCADE, related_name="+"
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, null=True, editable=False, related_name="tokens"
    )
    # Copied from the owner, because a policy can't follow a foreign key at a fair price.
    org_id = models.UUIDField(editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # The secret before the last rotation, good for a while more.
    previous_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)
    previous_expires_at = models.DateTimeField(null=True, editable=False)
    prefix = models.CharField(max_length=20, editable=False)
    scopes = models.JSONField(default=list, blank=True)
    # What its owner wrote down about it.
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    # While it is set, the token authenticates nowhere; its owner sets and clears it.
    paused_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, validators=[validate_expiry])
    # The days before expiry that the owner was last told of; 0 once the expiry itself is logged.
    expiry_notice = models.SmallIntegerField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.CharField(max_length=255, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_address = models.GenericIPAddressField(null=True, editable=False)
    last_used_client = models.CharField(max_length=100, blank=True, editable=False)
    first_mcp_at = models.DateTimeField(null=True, editable=False)
    last_refused_at = models.DateTimeField(null=True, editable=False)
    last_refusal = models.CharField(max_length=255, blank=True, editable=False)

    # Annotated by `governed`; None stands for an organisation without a policy, here and below.
    policy_says: dict[str, Any] | None = None
    policy_agents = Said[str]("agents")
    policy_days = Said[int]("days")
    policy_confirmation = Said[str]("confirmation")
    policy_clients = Said[str]("clients")
    policy_client_hosts = Said[list[str]]("client_hosts")
    policy_connection_days = Said[int]("connection_days")
    policy_stop = Said[str]("stop")
    policy_limits = Said[dict[str, int | None]]("limits")
    # Also annotated by it; None for a token that has written nothing today.
    counted_today: dict[str, int] | None = None

    objects: ClassVar[Any] = TokenQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__lt=EXPIRY_CEILING),
                name="pat_tokens_token_expiry",
            ),
        )
        indexes = (
            models.Index(fields=["org_id", "-created_at", "-id"], name="pat_tokens_token_of_org"),
            models.Index(
                fields=["org_id", "-created_at", "-id"],
                condition=Q(revoked_at=None),
                name="pat_tokens_token_unrevoked",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def create(
        cls,
        *,
        owner: Any,
        name: str,
        scopes: Iterable[str] = (),
        expires_at: datetime | None = None,
        **fields: Any,
    ) -> tuple["Token", str]:
        """A new token and its secret, which can't be had again. Raises `ValidationError`."""
        if expires_at is not None:
            validate_expiry(expires_at)
        secret = token_secret.generate()
        token: Token = cls.objects.create(
            owner=owner,
            org_id=owner.org_id,
            name=name,
            digest=token_secret.digest(secret),
            prefix=token_secret.display_prefix(secret),
            scopes=list(scopes),
            expires_at=expires_at,
            **fields,
        )
        return token, secret

    @property
    def profile(self) -> Any:
        return self.owner

    @property
    def org(self) -> Any:
        return self.owner.org

    @property
    def user(self) -> Any:
        return self.owner.user

    @property
    def credential_id(self) -> uuid.UUID:
        """What limits and entries in the log count by: access tokens change, a connection stays."""
        return self.connection_id or self.id

    @property
    def issued_at(self) -> datetime:
        """When the current secret was made."""
        return self.rotated_at or self.created_at

    @property
    def ends_at(self) -> datetime | None:
        """Its expiry, or earlier by the organisation's policy, which reaches old tokens too."""
        ends = [self.expires_at] if self.expires_at else []
        if self.policy_days is not None:
            ends.append(self.issued_at + timedelta(days=self.policy_days))
        if self.connection is not None:
            ends.append(self.connection.ends_under(self.policy_days, self.policy_connection_days))
        return min(ends, default=None)

    @property
    def status(self) -> Status:
        if self.revoked_at is not None:
            return "revoked"
        if self.ends_at is not None and self.ends_at <= timezone.now():
            return "expired"
        return "active" if self.paused_at is None else "paused"

    @property
    def status_reason(self) -> str:
        """A sentence for people; empty where the token is active."""
        if self.revoked_at is not None:
            return f"Revoked by {self.revoked_by}." if self.revoked_by else "Revoked."
        if self.status == "active":
            return ""
        if self.status == "paused":
            return "Until its owner resumes it."
        if self.ends_at == self.expires_at:
            return "Its lifetime is over."
        return f"The organisation allows {self.policy_days} days at most."

    def accepts(self, digest: str) -> bool:
        """Whether this is the current secret, or the one before it within the overlap."""
        if digest == self.digest:
            return True
        return self.previous_expires_at is not None and self.previous_expires_at > timezone.now()

    def revoke(self, by: str = "") -> bool:
        """For good. False if it was revoked already, which keeps the first date."""
        changed: int = Token.objects.filter(pk=self.pk, revoked_at=None).update(
            revoked_at=timezone.now(), revoked_by=by
        )
        # Raises DoesNotExist when the row is out of sight: that must not pass for a revocation.
        self.refresh_from_db(fields=["revoked_at", "revoked_by"])
        return changed == 1
