"""Permissions: a person who signed in, and an administrator. A token is neither."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from pat_tokens.conf import token_settings
from pat_tokens.models import Token
from pat_tokens.scopes import CREDENTIAL_DENIAL
from pat_tokens.secret import made_with_credential

SIGN_IN = "Sign in to an organisation to manage its tokens."
ADMINS_ONLY = "Only an administrator of the organisation may do this."


class SignedInPerson(BasePermission):
    """A person of an organisation, signed in: no token, and no key that borrows an identity."""

    message = CREDENTIAL_DENIAL

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, Token) or made_with_credential(request._request):
            return False
        self.message = SIGN_IN
        return request.user.is_authenticated and getattr(request, "profile", None) is not None


class OrgAdmin(SignedInPerson):
    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        self.message = ADMINS_ONLY
        return token_settings.is_admin(request.profile)  # type: ignore[attr-defined]
