from django.db import models
from django.utils import timezone


class Client(models.Model):
    """An OAuth client: one that registered itself, or the cached document of one.

    Clients belong to no organisation. Those that come with this app or with the settings have no
    row.
    """

    client_id = models.CharField(primary_key=True, max_length=512)
    name = models.CharField(max_length=100)
    # The host of its document; empty for one that registered itself, under any name it liked.
    host = models.CharField(max_length=255, blank=True)
    redirect_uris = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    # When its document is to be fetched again.
    stale_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.host or 'unverified'})"
