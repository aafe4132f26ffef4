import re
from pathlib import Path

import pytest

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.catalogue.routes import EXCLUDED, reason_for_exclusion

# The routes of the eight entities as observed on BottleCRM, one "METHOD path" a line.
ROUTES = (Path(__file__).parent / "bottlecrm_routes.txt").read_text().splitlines()


def bare(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def used_routes() -> set[str]:
    routes = set()
    for entity in CATALOGUE.entities:
        record = entity.path + "{}/"
        routes |= {f"{method} {entity.path}" for method in ("GET", "POST")}
        routes |= {f"{method} {record}" for method in ("GET", "PUT", "PATCH", "DELETE")}
        routes |= {f"{action.method} {bare(action.path)}" for action in entity.actions}
        routes |= {f"GET {bare(each.path)}" for each in entity.includes if each.path}
    return routes


@pytest.mark.parametrize("route", ROUTES)
def test_route_is_offered_or_excluded_with_a_reason(route):
    assert (route in used_routes()) != bool(reason_for_exclusion(route))


@pytest.mark.parametrize(
    "action", [each for entity in CATALOGUE.entities for each in entity.actions]
)
def test_action_goes_to_a_route_that_the_crm_has(action):
    assert f"{action.method} {bare(action.path)}" in ROUTES


def test_every_exclusion_is_of_some_use():
    reasons = {reason_for_exclusion(route) for route in ROUTES}

    assert set(EXCLUDED) <= reasons
