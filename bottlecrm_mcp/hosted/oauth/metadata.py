"""The two discovery documents, and the challenges that lead to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pat_tokens.oauth import SUPPORTED, token_settings

RESOURCE_PATH = "/.well-known/oauth-protected-resource"
SERVER_PATH = "/.well-known/oauth-authorization-server"
AUTHORIZE, TOKEN, REGISTER, REVOKE = (
    "/oauth/authorize",
    "/oauth/token",
    "/oauth/register",
    "/oauth/revoke",
)
# Where clients look that have not read the metadata, as the Python SDK's after a restart.
DEFAULT_TOKEN = "/token"


def protected_resource() -> dict[str, Any]:
    """RFC 9728."""
    return {
        "resource": token_settings.resource,
        "authorization_servers": [token_settings.issuer],
        "scopes_supported": list(SUPPORTED),
        "bearer_methods_supported": ["header"],
        "resource_name": "BottleCRM",
    }


def authorization_server() -> dict[str, Any]:
    """RFC 8414. The SDK's own builder knows neither public clients nor their documents."""
    issuer = token_settings.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "registration_endpoint": issuer + REGISTER,
        "revocation_endpoint": issuer + REVOKE,
        "scopes_supported": list(SUPPORTED),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
    }


def challenge(scopes: Iterable[str] = SUPPORTED, **said: str) -> str:
    """The value of a WWW-Authenticate header; `said` are further parameters (RFC 6750)."""
    parameters = {
        **said,
        "scope": " ".join(scopes),
        "resource_metadata": f"{token_settings.issuer}{RESOURCE_PATH}/mcp",
    }
    return ", ".join(f'{name}="{value}"' for name, value in parameters.items())
