from dataclasses import replace

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from bottlecrm_mcp.conf import McpSettings, mcp_settings
from tests.bottlecrm_mcp.population import with_settings
from tests.whole_crm.catalogue import CATALOGUE


def test_defaults(settings) -> None:
    settings.BOTTLECRM_MCP = {}
    assert mcp_settings() == McpSettings()
    assert mcp_settings().CONFIRMATION == "explicit"


def test_follows_the_settings(settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(THREADS=3)
    assert mcp_settings().THREADS == 3
    settings.BOTTLECRM_MCP = with_settings(THREADS=4)
    assert mcp_settings().THREADS == 4


def test_unknown_setting(settings) -> None:
    settings.BOTTLECRM_MCP = with_settings(THREAD=3)
    with pytest.raises(ImproperlyConfigured, match=r"unknown settings: THREAD\. Known: .*THREADS"):
        mcp_settings()


@pytest.mark.parametrize(
    ("changes", "fix"),
    [
        ({"CONFIRMATION": "always"}, "must be 'explicit' or 'sealed', not 'always'"),
        ({"CONFIRMATION": None}, "must be 'explicit' or 'sealed'"),
        ({"THREADS": 0}, r"\['THREADS'\] must be a positive integer"),
        ({"THREADS": True}, "must be a positive integer"),
        ({"THREADS": "8"}, "must be a positive integer"),
        ({"MAX_BODY_BYTES": -1}, r"\['MAX_BODY_BYTES'\] must be a positive integer"),
        ({"CALLS_PER_MINUTE": -1}, r"\['CALLS_PER_MINUTE'\] must be .*, or 0 or None for no limit"),
        ({"CONCURRENT_CALLS": "4"}, "or 0 or None for no limit"),
        ({"CONCURRENT_CALLS": False}, "or 0 or None for no limit"),
        ({"WEB_ADDRESS": "app.example.com"}, r"\['WEB_ADDRESS'\] must be an address such as"),
        ({"WEB_ADDRESS": "javascript:alert(1)"}, "must be an address such as"),
    ],
)
def test_wrong_value(settings, changes, fix) -> None:
    settings.BOTTLECRM_MCP = with_settings(**changes)
    with pytest.raises(ImproperlyConfigured, match=fix):
        mcp_settings()


@pytest.mark.parametrize(
    ("own", "host", "used"),
    [
        ("https://app.example.com/", "https://other.example.com", "https://app.example.com"),
        ("", "http://localhost:5173/", "http://localhost:5173"),
        ("", None, ""),
        ("", "app.example.com", ""),
    ],
)
def test_web_address(settings, own, host, used) -> None:
    settings.BOTTLECRM_MCP = with_settings(WEB_ADDRESS=own)
    settings.FRONTEND_URL = host
    assert mcp_settings().web_address == used
    cases = CATALOGUE.entity("cases")
    page = f"{used}/tickets/7" if used else ""
    assert cases.web_address_of("7", mcp_settings().web_address) == page


def test_catalogue_that_is_none(settings) -> None:
    settings.BOTTLECRM_MCP = {"CATALOGUE": "demo_crm.catalogue.STAND_INS"}
    with pytest.raises(ImproperlyConfigured, match="does not name a Catalogue"):
        _ = mcp_settings().catalogue


def problems() -> list[str]:
    found = [each for each in run_checks() if not each.is_silenced()]
    return [each.id for each in found if each.id.startswith("bottlecrm_mcp.")]


def test_checks_of_good_settings() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"THREADS": 0},
        {"NOTHING": 1},
        {"CATALOGUE": "demo_crm.catalogue.STAND_INS"},
        {"CATALOGUE": "nowhere.to.be.FOUND"},
    ],
)
def test_checks_of_wrong_settings(settings, changes) -> None:
    settings.BOTTLECRM_MCP = with_settings(**changes)
    assert "bottlecrm_mcp.E001" in problems()


@pytest.fixture
def optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue of which solutions are optional."""
    solutions = CATALOGUE.entity("solutions")
    others = tuple(each for each in CATALOGUE.entities if each is not solutions)
    small = replace(CATALOGUE, entities=others, optional=(solutions,))
    monkeypatch.setattr("tests.whole_crm.catalogue.CATALOGUE", small)


def test_optional_entities_are_served_if_named(settings, optional) -> None:
    assert "solutions" not in mcp_settings().catalogue.entity_names
    settings.BOTTLECRM_MCP = with_settings(ENTITIES=["solutions"])
    assert mcp_settings().catalogue.entity_names[-1] == "solutions"
    assert problems() == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["solution", "dreams"], "no such entity: dreams, solution; known are solutions"),
        ("solutions", "must be a list of names"),
    ],
)
def test_optional_entities_that_are_not_known(settings, optional, names, said) -> None:
    settings.BOTTLECRM_MCP = with_settings(ENTITIES=names)
    (error,) = (each for each in run_checks() if each.id == "bottlecrm_mcp.E001")
    assert said in error.msg


def test_relations_to_optional_entities_have_names(optional) -> None:
    catalogue = mcp_settings().catalogue
    assert catalogue.entity("solutions") is None
    assert catalogue.target("solutions") is not None
    assert catalogue.label_columns("solutions") == (("title",),)
