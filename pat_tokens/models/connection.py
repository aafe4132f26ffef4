import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from pat_tokens.conf import token_settings
from pat_tokens.models.expiry import EXPIRY_CEILING, validate_expiry
from pat_tokens.models.policy import Policy

ConnectionStatus = Literal["active", "expired", "ended"]


def is_live(policy: Policy) -> Q:
    """The condition that `Connection.status` is active, under this policy of the organisation."""
    now = timezone.now()
    live = Q(ended_at=None, expires_at__gt=now, idle_expires_at__gt=now)
    if policy.longest_connection is None:
        return live
    return live & Q(created_at__gt=now - policy.longest_connection)


def is_dead(policy: Policy) -> Q:
    """The opposite of `is_live`."""
    return Q(ended_at__isnull=False) | expires_by(policy, timezone.now())


def expires_by(policy: Policy, moment: datetime) -> Q:
    """The condition that its time is over at that moment, if it is not used until then."""
    expired = Q(expires_at__lte=moment) | Q(idle_expires_at__lte=moment)
    if policy.longest_connection is None:
        return expired
    return expired | Q(created_at__lte=moment - policy.longest_connection)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def redeemed(self) -> Self:
        """Those whose client has fetched its first token; no others are shown."""
        return self.filter(redeemed_at__isnull=False)

    def governed(self) -> Self:
        """Each connection with what its organisation's policy says, in the same query."""
        policy = Policy.objects.filter(org_id=OuterRef("org_id"))
        return self.annotate(
            policy_days=Subquery(policy.values("max_lifetime_days")),
            policy_connection_days=Subquery(policy.values("max_connection_days")),
        )


class Connection(models.Model):
    """An OAuth grant: a client that a person let act as them, in one organisation.

    One consent makes one connection. Its access tokens are rows of `Token`; row-level security
    binds it to its organisation as it binds them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner: models.ForeignKey[Any, Any] = models.ForeignKey(
        token_settings.owner_model, on_delete=models.CASCADE, related_name="+"
    )
    org_id = models.UUIDField(editable=False)
    # As they were when the person agreed: a client may change its name later.
    client_id = models.CharField(max_length=512, editable=False)
    client_name = models.CharField(max_length=100, editable=False)
    # The host whose document names the client; empty where anybody may have chosen the name.
    client_host = models.CharField(max_length=255, blank=True, editable=False)
    redirect_host = models.CharField(max_length=255, editable=False)
    resource = models.CharField(max_length=500, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # The person's earlier connection of the same client, which ends once this one is redeemed.
    replaces_id = models.UUIDField(null=True, editable=False)
    expires_at = models.DateTimeField(validators=[validate_expiry])
    # When the newest refresh token ends: what is not used does not go on for ever.
    idle_expires_at = models.DateTimeField(editable=False)
    expiry_notice = models.SmallIntegerField(null=True, editable=False)
    # When the client fetched its first token; one that never did is not shown.
    redeemed_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.CharField(max_length=255, blank=True, editable=False)
    end_reason = models.CharField(max_length=255, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_address = models.GenericIPAddressField(null=True, editable=False)
    last_used_client = models.CharField(max_length=100, blank=True, editable=False)

    # Annotated by `governed`; these stand for an organisation without a policy.
    policy_days: int | None = None
    policy_connection_days: int | None = None

    objects: ClassVar[Any] = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(expires_at__lt=EXPIRY_CEILING, idle_expires_at__lt=EXPIRY_CEILING),
                name="pat_tokens_connection_expiry",
            ),
        )
        indexes = (
            models.Index(
                fields=["org_id", "-created_at", "-id"], name="pat_tokens_connection_of_org"
            ),
            models.Index(
                fields=["org_id", "-created_at", "-id"],
                condition=Q(ended_at=None),
                name="pat_tokens_connection_unended",
            ),
        )

    def __str__(self) -> str:
        return f"{self.client_name} ({self.client_host or 'unverified'})"

    def ends_under(self, *days: int | None) -> datetime:
        """When it has to be agreed to again, where the policy allows so many days at most."""
        limits = [self.created_at + timedelta(days=each) for each in days if each]
        return min([self.expires_at, *limits])

    @property
    def ends_at(self) -> datetime:
        """The last moment by consent and policy; the policy is known to rows of `governed()`."""
        return self.ends_under(self.policy_days, self.policy_connection_days)

    @property
    def status(self) -> ConnectionStatus:
        if self.ended_at is not None:
            return "ended"
        if min(self.ends_at, self.idle_expires_at) <= timezone.now():
            return "expired"
        return "active"

    @property
    def status_reason(self) -> str:
        """A sentence for people; empty where the connection is active."""
        if self.ended_at is not None:
            return self.end_reason or (f"Ended by {self.ended_by}." if self.ended_by else "")
        if self.status == "active":
            return ""
        if self.ends_at <= timezone.now():
            return "Its time is over; connect again."
        return "It was not used for a month; connect again."
