"""The OAuth authorization server beside /mcp, on the SDK's handlers and the models of `pat_tokens`.

Discovery, authorization, tokens, registration and revocation are served before Django. The
decision of a person is Django's: the consent page of `pat_tokens`.
"""

from __future__ import annotations

from django.apps import apps


def is_on() -> bool:
    """Whether clients may connect by OAuth: `pat_tokens` is installed and knows its issuer."""
    if not apps.is_installed("pat_tokens"):
        return False
    from pat_tokens.oauth import token_settings

    return bool(token_settings.issuer)
