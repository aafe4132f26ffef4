"""The doctor's look at discovery from outside."""

import httpx2
import pytest

from bottlecrm_mcp.doctor.checks import discovery
from bottlecrm_mcp.doctor.findings import Level
from tests.bottlecrm_mcp.hosted.http import send
from tests.bottlecrm_mcp.hosted.oauth.flow import ISSUER


@pytest.fixture
def arriving_as(flow, monkeypatch, settings):
    """Lets what is asked of the issuer arrive by another origin, as behind a proxy."""
    settings.ALLOWED_HOSTS = ["crm.example.com", "inner"]

    def behind(origin: str) -> None:
        def fetch(url: str) -> httpx2.Response:
            path = url.removeprefix(ISSUER)
            return send(flow.app, method="GET", path=path, body=b"", origin=origin)

        monkeypatch.setattr(discovery, "fetch", fetch)

    return behind


def finding():
    [found] = discovery.check_discovery()
    return found


def test_in_order(arriving_as) -> None:
    arriving_as(ISSUER)
    assert finding().level is Level.OK
    assert ISSUER in finding().sentence


@pytest.mark.parametrize("origin", ["http://crm.example.com", "http://inner", "http://unknown"])
def test_proxy_that_changes_the_origin(arriving_as, origin) -> None:
    arriving_as(origin)
    assert finding().level is Level.FAILURE
    assert "X-Forwarded-Proto" in finding().sentence


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (httpx2.Response(404, text="<html>"), Level.WARNING),
        (httpx2.Response(200, json={"resource": "https://other.example.com/mcp"}), Level.FAILURE),
    ],
)
def test_something_else_answers(arriving_as, monkeypatch, answer, level) -> None:
    monkeypatch.setattr(discovery, "fetch", lambda url: answer)
    assert finding().level is level


def test_nobody_answers(settings) -> None:
    settings.PAT_TOKENS_ISSUER = "http://127.0.0.1:9"
    assert finding().level is Level.WARNING


def test_off(settings) -> None:
    settings.PAT_TOKENS_ISSUER = ""
    assert "PAT_TOKENS_ISSUER" in finding().sentence
