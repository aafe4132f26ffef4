"""Every tool on every entity through `bcrm-mcp`, in both of its modes."""

from itertools import product

import pytest

from bottlecrm_mcp.doctor.findings import Outcome
from bottlecrm_mcp.doctor.person import Person
from bottlecrm_mcp.hosted.authentication import authenticate
from tests.bottlecrm_mcp.local.test_cli import crm_url  # noqa: F401  (a fixture)
from tests.bottlecrm_mcp.population import populate, with_settings
from tests.release.remote_matrix import calling, try_everything

# A lead that is converted as it is created is in no list that could tell its id. The lists of
# tasks and invoices hold no custom fields.
DIFFERS = {
    "mcp": set(),
    "rest": {
        ("leads", "create status=converted"),
        *product(
            ("tasks", "invoices"),
            (
                "filter custom_fields.region eq",
                "filter custom_fields.region is_empty",
                "sort custom_fields.region",
            ),
        ),
    },
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("mode", ["mcp", "rest"])
def test_matrix(crm_url, two_orgs, token_for, settings, mode):  # noqa: F811
    settings.BOTTLECRM_MCP = with_settings(CALLS_PER_MINUTE=0)
    settings.PAT_TOKENS_DAILY_LIMITS = {"writes": 10_000, "deletes": 10_000, "mails": 10_000}
    populate(two_orgs.alpha_admin, two_orgs.alpha_user)
    populate(two_orgs.beta_admin, two_orgs.beta_user)
    secret = token_for(two_orgs.alpha_admin)
    with calling(crm_url, secret, mode) as call:
        cells = try_everything(Person(authenticate(secret), secret), call)
    failed = {
        (cell.entity, cell.what): cell.sentence for cell in cells if cell.outcome is Outcome.FAILED
    }
    assert set(failed) == DIFFERS[mode], failed
    assert len(cells) > 300
