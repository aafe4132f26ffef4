import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pat_tokens import secret as token_secret
from pat_tokens.conf import token_settings
from pat_tokens.lookup import presenting

USE_RECORDED_EVERY = timedelta(minutes=1)

Status = Literal["active", "expired", "revoked"]


class Token(models.Model):
    """A personal access token: acts as its owner, a person in one organisation.

    Row-level security hides every row outside its organisation's context; `lookup.presenting`
    opens the one row whose digest is presented.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    # No reverse name: the host's owner model may have tokens of its own.
    owner: models.ForeignKey[Any, Any] = models.ForeignKey(
        token_settings.owner_model, on_delete=models.CASCADE, related_name="+"
    )
    # Copied from the owner, because a policy can't follow a foreign key at a fair price.
    org_id = models.UUIDField(db_index=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=20, editable=False)
    scopes = models.JSONField(default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

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
    ) -> tuple["Token", str]:
        """A new token and its secret, which can't be had again."""
        secret = token_secret.generate()
        token = cls.objects.create(
            owner=owner,
            org_id=owner.org_id,
            name=name,
            digest=token_secret.digest(secret),
            prefix=token_secret.display_prefix(secret),
            scopes=list(scopes),
            expires_at=expires_at,
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
    def status(self) -> Status:
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "active"

    def revoke(self) -> None:
        """For good. A second call keeps the first date."""
        Token.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now())
        # Raises DoesNotExist when the row is out of sight: that must not pass for a revocation.
        self.refresh_from_db(fields=["revoked_at"])

    def record_use(self) -> None:
        """Write `last_used_at`, at most once a minute."""
        now = timezone.now()
        due = now - USE_RECORDED_EVERY
        if self.last_used_at is not None and self.last_used_at > due:
            return
        unrecorded = Q(last_used_at=None) | Q(last_used_at__lte=due)
        # Not save(): it would write back `revoked_at` as this instance read it, and undo a
        # revocation made since.
        with presenting(self.digest):
            Token.objects.filter(unrecorded, pk=self.pk).update(last_used_at=now)
        self.last_used_at = now
