"""A paused token opens nothing, from the next request on, and comes back as it was."""

from typing import Any

import pytest

from pat_tokens.resolver import find_token
from pat_tokens.services.own_changes import pause, resume
from tests.bottlecrm_mcp.hosted.http import LIST_TOOLS, send


@pytest.fixture
def paused(secret: str) -> Any:
    token = find_token(secret)
    assert token is not None
    pause(token)
    return token


def test_at_the_endpoint(app: Any, secret: str, paused: Any) -> None:
    bearer = {"Authorization": f"Bearer {secret}"}
    refused = send(app, body=LIST_TOOLS, headers=bearer)
    assert refused.status_code == 401
    assert secret not in refused.text
    resume(paused)
    assert send(app, body=LIST_TOOLS, headers=bearer).status_code == 200


def test_in_the_api(client: Any, secret: str, paused: Any) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/leads/", headers=headers).status_code in (401, 403)
    resume(paused)
    assert client.get("/api/leads/", headers=headers).status_code == 200


def test_a_report_of_a_leak_ends_it(secret: str, paused: Any) -> None:
    """Else whoever resumed it would bring back a secret that was found."""
    from pat_tokens.services.revocation import revoke_leaked

    assert revoke_leaked(secret)
    resume(paused)
    token = find_token(secret)
    assert token is not None
    assert token.status == "revoked"
