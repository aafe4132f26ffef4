from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from pat_tokens.models import Token
from pat_tokens.scopes import CREDENTIAL_DENIAL
from pat_tokens.secret import from_header


class SignedInPerson(BasePermission):
    """A person of an organisation, signed in: no token, and no key that borrows an identity."""

    message = CREDENTIAL_DENIAL

    def has_permission(self, request: Request, view: Any) -> bool:
        if _made_with_credential(request):
            return False
        self.message = "Sign in to an organisation to manage its tokens."
        return request.user.is_authenticated and getattr(request, "profile", None) is not None


def _made_with_credential(request: Request) -> bool:
    return (
        getattr(request, "_pat", None) is not None
        or isinstance(request.auth, Token)
        or "Token" in request.headers
        or from_header(request.headers.get("Authorization", "")) is not None
    )
