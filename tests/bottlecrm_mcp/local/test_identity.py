import pytest

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.gateway.base import GatewayError
from bottlecrm_mcp.gateway.rest.connection import Connection
from bottlecrm_mcp.local.identity import catalogue_resources, who_am_i
from bottlecrm_mcp.protocol.instructions import instructions
from tests.bottlecrm_mcp.local.stand_in import DEAD_TOKEN, NOT_FOUND, Said, crm, serving


def caller_at(stand_in):
    return who_am_i(Connection(stand_in.url, "bcrm_pat_x"), CATALOGUE)


def scoped(*scopes):
    """A CRM that knows a token with these scopes, as BottleCRM's middleware treats it."""

    def answers(asked):
        action = "read" if asked.method == "GET" else "write"
        resource = asked.path.split("/")[2]
        if not {f"{resource}:{action}", f"*:{action}"} & set(scopes):
            said = f"This token is not scoped for {action} access to {resource}."
            return Said(403, {"detail": said})
        return crm(asked)

    return answers


def test_person_and_organisation():
    with serving(crm) as stand_in:
        caller = caller_at(stand_in)
    assert (caller.name, caller.email, caller.role) == ("Ann", "ann@example.com", "USER")
    assert (caller.org_name, caller.timezone) == ("Alpha", "Asia/Kolkata")
    assert caller.profile_id.startswith("1111")
    assert caller.scopes == ()
    # Two requests tell that a token has no scopes, and neither leads anywhere.
    assert sorted(stand_in.paths("GET")) == ["/api/-/", "/api/org/settings/", "/api/profile/"]
    assert stand_in.paths("POST") == ["/api/-/"]


@pytest.mark.parametrize(
    "scopes",
    [
        ("*:read",),
        ("leads:read", "leads:write", "profile:read"),
        ("cases:read", "users:read", "org:read"),
        ("*:write",),
    ],
)
def test_scopes(scopes):
    with serving(scoped(*scopes)) as stand_in:
        caller = caller_at(stand_in)
    assert set(caller.scopes) == set(scopes)
    assert bool(caller.profile_id) is bool({"*:read", "profile:read"} & set(scopes))
    assert all(path.endswith("/-/") for path in stand_in.paths("POST"))


def test_nothing_is_known_of_a_token_that_shows_nothing():
    with serving(scoped("leads:read")) as stand_in:
        caller = caller_at(stand_in)
    assert (caller.name, caller.org_name, caller.timezone) == ("", "", "UTC")
    said = instructions(caller)
    assert "profile:read" in said
    assert "org:read" in said


def test_resources_of_the_tools():
    found = catalogue_resources(CATALOGUE)
    assert {"leads", "cases", "invoices", "users", "tags", "custom-fields"} <= set(found)
    assert "solutions" not in found


@pytest.mark.parametrize(
    ("said", "code", "word"),
    [
        (Said(403, DEAD_TOKEN), "unauthorized", "unknown, revoked, expired or paused"),
        (Said(401, {"detail": "no"}), "unauthorized", "unknown, revoked, expired or paused"),
        (Said(404, NOT_FOUND), "not_the_crm", "does not serve BottleCRM's API"),
        (Said(400, NOT_FOUND), "not_the_crm", "does not serve BottleCRM's API"),
        (Said(200, "<html>app</html>"), "not_the_crm", "web page"),
        (Said(500, "<h1>Server Error</h1>"), "crm_error", "fails at present"),
    ],
)
def test_no_caller(said, code, word):
    with serving(lambda asked: said) as stand_in, pytest.raises(GatewayError) as raised:
        caller_at(stand_in)
    assert raised.value.code == code
    assert word in str(raised.value)
