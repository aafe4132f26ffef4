"""What the token app's own routes answer while the database does not."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def refuse(*arguments: Any, **options: Any) -> Any:
    raise OperationalError("the database has left")


@pytest.fixture
def client_of(token_for: Any) -> Any:
    def make(profile: Any) -> Client:
        return Client(
            raise_request_exception=False,
            headers={"Authorization": f"Bearer {token_for(profile)}"},
        )

    return make


@pytest.mark.parametrize("path", ["/api/org/tokens/", "/api/profile/tokens/", "/api/leads/"])
def test_token_can_not_be_looked_up(client_of: Any, alpha_admin: Any, path: str) -> None:
    client = client_of(alpha_admin)
    with connection.execute_wrapper(refuse):
        answer = client.get(path)
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/json"
    assert "Try again" in answer.json()["detail"]
    assert answer["Retry-After"]


@pytest.mark.parametrize("path", ["/api/org/tokens/", "/api/org/tokens/events/"])
def test_view_can_not_read(
    api: Any, alpha_admin: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for name in ("org_page", "event_page"):
        monkeypatch.setattr(f"pat_tokens.api.admin_views.{name}", refuse)
    client = api(alpha_admin)
    client.raise_request_exception = False
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/json")


def test_page(settings: Any) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["pat_tokens_session"] = client.cookies["sessionid"] = "x" * 32
    with connection.execute_wrapper(refuse):
        answer = client.get("/settings/api-tokens/")
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/plain")


def test_rest_of_the_demo(api: Any, alpha_admin: Any) -> None:
    client = api(alpha_admin)
    client.raise_request_exception = False
    with connection.execute_wrapper(refuse):
        answer = client.get("/api/leads/")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
