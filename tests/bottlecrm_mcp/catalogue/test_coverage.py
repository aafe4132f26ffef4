from pathlib import Path

import pytest

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.catalogue.coverage import bare, coverage, entity_routes
from bottlecrm_mcp.catalogue.excluded_routes import EXCLUDED

# The routes of BottleCRM as observed, one "METHOD path" a line.
ROUTES = (Path(__file__).parent / "bottlecrm_routes.txt").read_text().splitlines()
FULL = CATALOGUE.with_entities(each.name for each in CATALOGUE.optional)


@pytest.mark.parametrize("catalogue", [CATALOGUE, FULL], ids=["usual", "full"])
def test_every_route_is_used_or_excluded_with_a_reason(catalogue):
    found = coverage(catalogue, ROUTES)

    assert found.uncovered == ()
    counted = len(found.used) + len(found.excluded) + len(found.uncovered)
    assert counted == len(ROUTES)


@pytest.mark.parametrize("entity", FULL.entities, ids=FULL.entity_names)
def test_entity_goes_to_routes_that_the_crm_has(entity):
    assert set(entity_routes(entity)) <= set(ROUTES)


def test_route_that_nobody_thought_of():
    assert coverage(CATALOGUE, ["GET /api/moods/{}/"]).uncovered == ("GET /api/moods/{}/",)


def test_bare():
    assert bare("/api/cases/{id}/solutions/{solution}/") == "/api/cases/{}/solutions/{}/"


def test_every_exclusion_is_of_some_use():
    reasons = set(coverage(FULL, ROUTES).excluded.values())

    assert set(EXCLUDED) <= reasons
