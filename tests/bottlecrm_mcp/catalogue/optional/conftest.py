from types import SimpleNamespace
from typing import Any

import pytest

from tests.bottlecrm_mcp.population import OPTIONAL, populate_optional, with_settings


@pytest.fixture(autouse=True)
def enabled(settings: Any) -> None:
    """All that is served on request is asked for."""
    settings.BOTTLECRM_MCP = with_settings(ENTITIES=tuple(OPTIONAL))


@pytest.fixture
def alpha(alpha: SimpleNamespace) -> SimpleNamespace:
    populate_optional(alpha)
    return alpha


@pytest.fixture
def beta(beta: SimpleNamespace) -> SimpleNamespace:
    populate_optional(beta)
    return beta
