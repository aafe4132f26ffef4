"""Identity by access tokens (JWT), as BottleCRM's web application uses them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from demo_crm.models import Profile, User

ALGORITHM = "HS256"
LIFETIME = timedelta(hours=12)


def issue_access_token(profile: Profile) -> str:
    claims = {
        "user_id": str(profile.user_id),
        "org_id": str(profile.org_id),
        "exp": datetime.now(UTC) + LIFETIME,
    }
    return jwt.encode(claims, settings.SECRET_KEY, ALGORITHM)


def profile_of(request: HttpRequest) -> Profile | None:
    """The member an access token was issued to, while both person and organisation are active."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        return None
    try:
        claims = jwt.decode(
            token.strip(),
            settings.SECRET_KEY,
            algorithms=[ALGORITHM],
            options={"require": ["exp", "user_id", "org_id"]},
        )
    except jwt.InvalidTokenError:
        return None
    return (
        Profile.objects.select_related("user", "org")
        .filter(user_id=claims["user_id"], org_id=claims["org_id"])
        .filter(is_active=True, user__is_active=True, org__is_active=True)
        .first()
    )


class AccessTokenAuthentication(BaseAuthentication):
    """The signed-in member whom the middleware recognised.

    No WWW-Authenticate header is offered, so that a refusal is 403, never 401, as in BottleCRM.
    """

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        profile: Profile | None = getattr(request._request, "access_profile", None)
        return (profile.user, profile) if profile else None
