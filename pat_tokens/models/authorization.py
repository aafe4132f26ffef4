import uuid

from django.db import models
from django.utils import timezone

from pat_tokens.models.connection import Connection


class AuthorizationRequest(models.Model):
    """What a client asks for, until a person has decided: of no organisation yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client_id = models.CharField(max_length=512)
    client_name = models.CharField(max_length=100)
    client_host = models.CharField(max_length=255, blank=True)
    redirect_uri = models.TextField()
    # Whether the client named it; then it has to name the same one for the token.
    names_redirect = models.BooleanField()
    code_challenge = models.CharField(max_length=43)
    resource = models.CharField(max_length=500)
    scopes = models.JSONField(default=list)
    state = models.TextField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"Request of {self.client_name}"


class AuthorizationCode(models.Model):
    """An authorization code, by its digest: good once, for a minute."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="codes")
    org_id = models.UUIDField(editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    redirect_uri = models.TextField()
    names_redirect = models.BooleanField()
    code_challenge = models.CharField(max_length=43)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Code of {self.connection_id}"


class RefreshToken(models.Model):
    """A refresh token, by its digest: each use puts another in its place."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="refresh_tokens"
    )
    org_id = models.UUIDField(editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    # The secret of the one that takes its place; known where its own was presented.
    next_secret = ""

    def __str__(self) -> str:
        return f"Refresh token of {self.connection_id}"
