import pytest

from pat_tokens import scopes

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")


@pytest.mark.parametrize(
    ("granted", "method", "path", "allowed"),
    [
        ([], "GET", "/api/leads/", True),
        ([], "DELETE", "/api/leads/1/", True),
        ([], "GET", "/outside/", True),
        (["leads:read"], "GET", "/api/leads/", True),
        (["leads:read"], "HEAD", "/api/leads/", True),
        (["leads:read"], "OPTIONS", "/api/leads/", True),
        (["leads:read"], "GET", "/api/leads", True),
        (["leads:read"], "GET", "/api/leads/1/comments/", True),
        (["leads:read"], "POST", "/api/leads/", False),
        (["leads:read"], "GET", "/api/boards/", False),
        (["leads:read"], "GET", "/api/leadsx/", False),
        (["leads:write"], "POST", "/api/leads/", True),
        (["leads:write"], "PUT", "/api/leads/1/", True),
        (["leads:write"], "PATCH", "/api/leads/1/", True),
        (["leads:write"], "DELETE", "/api/leads/1/", True),
        (["leads:write"], "GET", "/api/leads/", False),
        (["leads:write"], None, "/api/leads/", True),
        (["leads:read"], "get", "/api/leads/", False),
        (["leads:read"], "TRACE", "/api/leads/", False),
        (["leads:read", "leads:write"], "GET", "/api/leads/", True),
        (["*:read"], "GET", "/api/boards/", True),
        (["*:read"], "POST", "/api/boards/", False),
        (["*:write"], "POST", "/api/boards/", True),
        (["*:read", "*:write"], "GET", "/outside/", False),
        (["*:read"], "GET", "/api/", False),
        (["*:read"], "GET", "/api", False),
        (["*:read"], "GET", "/apiary/leads/", False),
        (["*:read"], "GET", "/outside/api/leads/", False),
        (["LEADS:Read "], "GET", "/api/leads/", True),
        (["*"], "GET", "/api/leads/", False),
        (["leads"], "GET", "/api/leads/", False),
        (["leads:*"], "GET", "/api/leads/", False),
        (["leads:read:extra"], "GET", "/api/leads/", False),
        (["", ":", "read"], "GET", "/api/leads/", False),
        ([None, 7, {"leads": "read"}], "GET", "/api/leads/", False),
    ],
)
def test_check(granted, method, path, allowed) -> None:
    assert (scopes.check(granted, method, path) is None) == allowed


def test_denial_names_the_missing_scope() -> None:
    denial = scopes.check(["leads:read"], "POST", "/api/leads/")
    assert denial == "This token lacks the scope leads:write."


@pytest.mark.parametrize("granted", [[], ["*:read", "*:write"], ["profile:read", "org:read"]])
@pytest.mark.parametrize(
    "path",
    [
        "/api/profile/tokens/",
        "/api/profile/tokens",
        "/api/profile/tokens/0b0a0c9e-0000-4000-8000-000000000000/",
        "/api/org/tokens/",
        "/api/org/api-key/",
        "/settings/api-tokens/profile/tokens/",
        "/settings/api-tokens/profile/tokens/0b0a0c9e-0000-4000-8000-000000000000/",
    ],
)
def test_credentials_are_never_reachable(granted, path) -> None:
    assert scopes.check(granted, "GET", path) == scopes.CREDENTIAL_DENIAL


@pytest.mark.urls("demo_crm.urls")
def test_bottlecrm_credentials_are_closed_where_nothing_is_mounted() -> None:
    assert scopes.check([], "GET", "/api/org/api-key/") == scopes.CREDENTIAL_DENIAL


def test_profile_beside_its_tokens_is_reachable() -> None:
    assert scopes.check(["profile:read"], "GET", "/api/profile/") is None


def test_resources_are_the_live_api_roots() -> None:
    assert scopes.api_resources() == {"profile", "leads", "org", "boards"}


@pytest.mark.parametrize("scope", ["leads:read", " Leads:READ ", "*:write", "boards:read"])
def test_normalize(scope) -> None:
    assert scopes.normalize(scope) == scope.strip().lower()


@pytest.mark.parametrize(
    "scope", ["", " ", "*", "leads", "leads:", ":read", "leads:delete", "leads:read:x", "a b:read"]
)
def test_normalize_refuses_other_grammar(scope) -> None:
    with pytest.raises(ValueError, match="is not a scope"):
        scopes.normalize(scope)


def test_normalize_names_the_nearest_resource() -> None:
    with pytest.raises(ValueError, match=r'"lead" is not a resource here. Try leads\.'):
        scopes.normalize("lead:read")


def test_normalize_names_all_resources_when_none_is_near() -> None:
    with pytest.raises(ValueError, match="Try boards, leads, org, profile"):
        scopes.normalize("zzz:read")
