"""What clients list as resources."""

from bottlecrm_mcp.catalogue.bottlecrm import CATALOGUE
from bottlecrm_mcp.gateway.base import Caller
from bottlecrm_mcp.protocol.resources import listed

CALLER = Caller("1", "Ann", "ann@a.test", "ADMIN", "2", "Alpha", "UTC")


def test_titles_are_words() -> None:
    titles = {each.name: each.title for each in listed(CATALOGUE, CALLER)}
    assert titles["custom_fields"] == "Custom fields"
    assert titles["leads"] == "Leads"
    assert titles["me"] == "Me: Ann, Alpha"
