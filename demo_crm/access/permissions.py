"""Permissions: the organisation's context, and who is an administrator."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class HasOrgContext(BasePermission):
    message = "Organization context is required. Please login again."

    def has_permission(self, request: Request, view: Any) -> bool:
        return getattr(request, "org", None) is not None
