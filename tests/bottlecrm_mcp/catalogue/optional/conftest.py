from types import SimpleNamespace
from typing import Any

import pytest

from tests.bottlecrm_mcp.population import OPTIONAL, populate_whole, with_settings
from tests.kept import kept


@pytest.fixture(autouse=True)
def enabled(settings: Any) -> None:
    """All that is served on request is asked for."""
    settings.BOTTLECRM_MCP = with_settings(ENTITIES=tuple(OPTIONAL))


@pytest.fixture
def alpha(two_orgs: SimpleNamespace) -> SimpleNamespace:
    return kept(populate_whole, two_orgs.alpha_admin, two_orgs.alpha_user)


@pytest.fixture
def beta(two_orgs: SimpleNamespace) -> SimpleNamespace:
    return kept(populate_whole, two_orgs.beta_admin, two_orgs.beta_user)
