import pytest

from bottlecrm_mcp.gateway.rest.urls import is_loopback
from bottlecrm_mcp.local.environment import SettingsError, read_environment

TOKEN = "bcrm_pat_0123456789"


def read(base_url="https://crm.example.com", token=TOKEN, **more):
    return read_environment({"BCRM_BASE_URL": base_url, "BCRM_TOKEN": token, **more})


def complaint(**variables):
    with pytest.raises(SettingsError) as raised:
        read(**variables)
    message = str(raised.value)
    assert "\n" not in message
    assert "0123456789" not in message
    return message


@pytest.mark.parametrize(
    "given",
    ["/", "/api", "/api/", "/mcp", "/mcp/", "//"],
)
def test_surplus_path_is_forgiven(given):
    environment = read(f"https://crm.example.com{given}")
    assert environment.base_url == "https://crm.example.com"
    assert "should be https://crm.example.com;" in environment.warnings[0]


def test_no_token():
    """After a login there need be none; the command says what is missing."""
    assert read(token=" ").token == ""


def test_plain_settings():
    environment = read(" https://crm.example.com:8443/crm ")
    assert environment.base_url == "https://crm.example.com:8443/crm"
    assert environment.warnings == ()
    assert environment.mode == "auto"
    assert TOKEN not in repr(environment)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "Set BCRM_BASE_URL"),
        ("crm.example.com", "must begin with https://"),
        ("ftp://crm.example.com", "must begin with https://"),
        ("https://", "must begin with https://"),
        ("https://user:pass@crm.example.com", "user name or password"),
        ("https://crm.example.com:port", "not a URL"),
        ("http://crm.example.com", "plain http"),
    ],
)
def test_bad_url(given, said):
    assert said in complaint(base_url=given)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_plain_http_to_this_machine(host):
    base_url = f"http://{host}:8000"
    assert read(base_url).base_url == base_url
    assert is_loopback(base_url)


def test_plain_http_if_allowed():
    assert read("http://crm.example.com", BCRM_ALLOW_HTTP="1").base_url.startswith("http://")


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("0123456789", "begin with bcrm_pat_"),
        ("Bearer bcrm_pat_0123456789", "begin with bcrm_pat_"),
        ("bcrm_pat_", "incomplete"),
        ("bcrm_pat_…", "incomplete"),
        ("bcrm_pat_01234 56789", "incomplete"),
    ],
)
def test_bad_token(token, said):
    message = complaint(token=token)
    assert said in message
    assert "Settings → API Tokens" in message


def test_bad_mode():
    assert "use one of auto, mcp, rest" in complaint(BCRM_MODE="fast")
    assert read(BCRM_MODE="REST").mode == "rest"


@pytest.mark.parametrize(
    ("given", "entities"),
    [("", ()), ("estimates", ("estimates",)), (" estimates, products ", ("estimates", "products"))],
)
def test_optional_entities(given, entities):
    assert read(BCRM_ENTITIES=given).entities == entities
