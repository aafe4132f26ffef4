"""Authorization requests: what clients ask for, kept until a person decides."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from pat_tokens.batches import delete_some
from pat_tokens.conf import token_settings
from pat_tokens.models import AuthorizationRequest

# Long enough to sign in first, with a code that is good for ten minutes, and a second one.
LIFETIME = timedelta(minutes=30)


def keep_request(**asked: Any) -> AuthorizationRequest:
    """Store a request that is in order, and forget those that nobody decided."""
    delete_some(AuthorizationRequest.objects.filter(created_at__lt=timezone.now() - LIFETIME))
    request: AuthorizationRequest = AuthorizationRequest.objects.create(**asked)
    return request


def pending_request(pk: UUID | str, *, lock: bool = False) -> AuthorizationRequest | None:
    """The request, unless it was decided or is too old; with `lock` nobody else decides it."""
    rows = AuthorizationRequest.objects.filter(created_at__gte=timezone.now() - LIFETIME)
    found: AuthorizationRequest | None = (
        (rows.select_for_update() if lock else rows).filter(pk=pk).first()
    )
    return found


def consent_url(pk: UUID) -> str:
    """Where the person decides: a page of the host's front end, or this app's own."""
    page = token_settings.consent_url
    if page is None:
        # Not the script prefix of the request at hand: this may run outside of Django's handler.
        page = token_settings.issuer + reverse("pat_tokens_page:consent")
    return f"{page}?request={pk}"
