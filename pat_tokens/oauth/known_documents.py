"""Client id metadata documents as their hosts publish them (read in November 2026).

They stand in where a host refuses to serve its document to a server, as some do.
"""

from typing import Any

_PUBLIC = {"token_endpoint_auth_method": "none"}


def _document(client_id: str, name: str, *redirect_uris: str) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "client_name": name,
        "redirect_uris": list(redirect_uris),
        **_PUBLIC,
    }


_LOOPBACK = ("http://localhost/callback", "http://127.0.0.1/callback")

KNOWN_DOCUMENTS = {
    document["client_id"]: document
    for document in (
        _document(
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "Claude",
            "https://claude.ai/api/mcp/auth_callback",
        ),
        _document("https://claude.ai/oauth/claude-code-client-metadata", "Claude Code", *_LOOPBACK),
        _document(
            "https://chatgpt.com/oauth/client.json",
            "ChatGPT",
            "https://chatgpt.com/connector_platform_oauth_redirect",
        ),
        _document("https://chatgpt.com/oauth/codex/client.json", "Codex", *_LOOPBACK),
        _document(
            "https://vscode.dev/oauth/client-metadata.json",
            "Visual Studio Code",
            "http://127.0.0.1:33418/",
            "https://vscode.dev/redirect",
        ),
    )
}
