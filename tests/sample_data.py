"""The demo's sample data, in a database without any organisation."""

from demo_crm.models import Profile
from demo_crm.seed import seed
from tests.kept import kept


def sample_data() -> list[Profile]:
    """The people of `seed`."""
    return kept(_seeded)


def _seeded() -> list[Profile]:
    return seed("secret")
