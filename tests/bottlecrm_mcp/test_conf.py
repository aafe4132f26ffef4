import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from bottlecrm_mcp.conf import McpSettings, mcp_settings
from tests.bottlecrm_mcp.population import with_settings


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
    ],
)
def test_wrong_value(settings, changes, fix) -> None:
    settings.BOTTLECRM_MCP = with_settings(**changes)
    with pytest.raises(ImproperlyConfigured, match=fix):
        mcp_settings()


def test_catalogue_that_is_none(settings) -> None:
    settings.BOTTLECRM_MCP = {"CATALOGUE": "demo_crm.catalogue.NAMES"}
    with pytest.raises(ImproperlyConfigured, match="does not name a Catalogue"):
        _ = mcp_settings().catalogue


def problems() -> list[str]:
    return [each.id for each in run_checks() if each.id.startswith("bottlecrm_mcp.")]


def test_checks_of_good_settings() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"THREADS": 0},
        {"NOTHING": 1},
        {"CATALOGUE": "demo_crm.catalogue.NAMES"},
        {"CATALOGUE": "nowhere.to.be.FOUND"},
    ],
)
def test_checks_of_wrong_settings(settings, changes) -> None:
    settings.BOTTLECRM_MCP = with_settings(**changes)
    assert "bottlecrm_mcp.E001" in problems()
