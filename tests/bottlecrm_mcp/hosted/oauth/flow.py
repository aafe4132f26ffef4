"""An OAuth client by hand: each step of the flow as a request, so that each can be bent."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from django.test import Client

from tests.bottlecrm_mcp.hosted.http import send

ISSUER = "https://crm.example.com"
RESOURCE = f"{ISSUER}/mcp"
PAGE = "/settings/api-tokens/"
CLAUDE = "https://claude.ai/oauth/mcp-oauth-client-metadata"
CLAUDE_CODE = "https://claude.ai/oauth/claude-code-client-metadata"
VERIFIER = "v" * 64


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def query_of(url: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}


def browser_of(profile: Any) -> Client:
    """Signed in with a password; forms need the CSRF token."""
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in/")
    form = {"username": profile.user.email, "password": "secret"}
    assert post(client, "/sign-in/", form).status_code == 302
    return client


def post(client: Client, url: str, form: dict[str, Any]) -> Any:
    return client.post(url, {"csrfmiddlewaretoken": client.cookies["csrftoken"].value, **form})


def hidden(page: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    assert found, page.content.decode()
    return unescape(found[1])


@dataclass
class Flow:
    """What one client does, with the parameters that it would send."""

    app: Any
    client_id: str = CLAUDE
    redirect_uri: str = "https://claude.ai/api/mcp/auth_callback"
    scope: str = "crm:read crm:write"
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: str) -> httpx2.Response:
        url = f"{path}?{urlencode(query)}" if query else path
        return send(self.app, method="GET", path=url, headers=self.headers, body=b"")

    def form(self, path: str, form: dict[str, str]) -> httpx2.Response:
        headers = {"Content-Type": "application/x-www-form-urlencoded", **self.headers}
        return send(self.app, path=path, headers=headers, body=urlencode(form).encode())

    def asked(self, **changes: str | None) -> dict[str, str]:
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": "xyz",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            "resource": RESOURCE,
            **changes,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def authorize(self, **changes: str | None) -> httpx2.Response:
        return self.get("/oauth/authorize", **self.asked(**changes))

    def consent_page(self, **changes: str | None) -> str:
        """The path of the consent page that the client's request leads to."""
        response = self.authorize(**changes)
        assert response.status_code == 302, response.text
        location = response.headers["Location"]
        assert location.startswith(f"{ISSUER}{PAGE}connect/?request="), location
        return location.removeprefix(ISSUER)

    def approve(self, browser: Client, path: str, **form: str) -> Any:
        page = browser.get(path)
        assert page.status_code == 200, page.content.decode()
        chosen = {
            "access": "read_only",
            "days": "90",
            "owner": hidden(page, "owner"),
            "allow": "1",
            **form,
        }
        return post(browser, path, chosen)

    def code(self, browser: Client, **form: str) -> str:
        answer = self.approve(browser, self.consent_page(), **form)
        assert answer.status_code == 303, answer.content.decode()
        said = query_of(answer["Location"])
        assert (said["state"], said["iss"]) == ("xyz", ISSUER)
        return said["code"]

    def exchange(self, code: str, **changes: str | None) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
            "resource": RESOURCE,
            **changes,
        }
        return self.form("/oauth/token", {k: v for k, v in form.items() if v is not None})

    def refresh(self, refresh_token: str, **changes: str | None) -> httpx2.Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": self.client_id,
            "resource": RESOURCE,
            **changes,
        }
        return self.form("/oauth/token", {k: v for k, v in form.items() if v is not None})

    def connect(self, browser: Client, **form: str) -> dict[str, Any]:
        """The whole way; the tokens."""
        response = self.exchange(self.code(browser, **form))
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens
