"""A table of tokens such as BottleCRM has one, for the tests: outside row-level security."""

import hashlib
import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from demo_crm.models import Org, Profile


class HostToken(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    org = models.ForeignKey(Org, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    token_hash = models.CharField(max_length=64, unique=True)
    token_prefix = models.CharField(max_length=20)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """An owner model that is not the demo's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey("demo_crm.User", on_delete=models.CASCADE, related_name="+")
    org = models.ForeignKey(Org, on_delete=models.CASCADE, related_name="+")
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.user} ({self.org})"


def issue_host_token(profile: Profile, **fields: Any) -> tuple[HostToken, str]:
    secret = "bcrm_pat_" + uuid.uuid4().hex + "-" + uuid.uuid4().hex[:10]
    row = HostToken.objects.create(
        profile=profile,
        org=profile.org,
        name=fields.pop("name", "Older"),
        token_hash=hashlib.sha256(secret.encode()).hexdigest(),
        token_prefix=secret[:13],
        **fields,
    )
    return row, secret
