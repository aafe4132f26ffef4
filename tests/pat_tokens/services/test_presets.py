import pytest

from pat_tokens import scopes
from pat_tokens.services import presets

pytestmark = pytest.mark.urls("tests.pat_tokens.urls")


def test_read_only() -> None:
    assert presets.scopes_for("read_only", {}) == ["*:read"]


def test_read_and_write() -> None:
    assert presets.scopes_for("read_write", {}) == ["*:read", "*:write"]


def test_chosen_records_bring_what_their_names_need() -> None:
    granted = presets.scopes_for("entities", {"leads": "write"})
    assert granted == ["leads:read", "leads:write", "profile:read", "org:read"]
    assert scopes.check(granted, "POST", "/api/leads/") is None
    assert scopes.check(granted, "GET", "/api/boards/") is not None


@pytest.mark.urls("settings.urls")
def test_names_of_people_teams_tags_and_fields() -> None:
    granted = presets.scopes_for("entities", {"tasks": "read", "cases": "none"})
    names = {f"{name}:read" for name in presets.NAMES}
    assert set(granted) == {"tasks:read", *names}


@pytest.mark.urls("settings.urls")
def test_what_the_demo_offers() -> None:
    assert list(presets.entities()) == [
        "leads",
        "contacts",
        "accounts",
        "opportunities",
        "tasks",
        "cases",
        "invoices",
    ]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({}, "Choose at least one"),
        ({"leads": "none"}, "Choose at least one"),
        ({"boards": "read"}, "is not one of leads"),
        ({"leads": "*"}, "is not one of none, read, write"),
    ],
)
def test_bad_choice(chosen, message) -> None:
    with pytest.raises(ValueError, match=message):
        presets.scopes_for("entities", chosen)


@pytest.mark.parametrize(
    ("granted", "told"),
    [
        ([], "Everything its owner may do"),
        (["*:read"], "Read only"),
        (["*:write", "*:read"], "Read and write"),
        (["cases:read", "users:read"], "Cases and solutions: read"),
        (["users:read"], "Users: read"),
        (["boards:write"], "Boards: write"),
        (["leads:read", "tasks:read", "leads:write"], "Leads: read and write; Tasks: read"),
        (["leads:write", "*:read", "*:write"], "Read and write"),
        (["leads:read", "*:read"], "Read only"),
        (["*:read", "leads:write"], "Everything: read; Leads: write"),
    ],
)
def test_summary(granted, told) -> None:
    assert presets.summary(granted) == told
