"""The demo with fewer connections than callers, whose pool tells what comes back to it."""

import os

from settings.database import database
from settings.demo import *  # noqa: F403
from settings.demo import BOTTLECRM_MCP
from tests.soak.leaks import report_and_forget

CONNECTIONS = 4

# A token calls as fast as it is answered here, and held bodies end within a phase.
BOTTLECRM_MCP = {**BOTTLECRM_MCP, "CALLS_PER_MINUTE": None, "BODY_SECONDS": 2}

DATABASES = {
    "default": database(
        os.environ.get("DATABASE_URL", "postgresql://"), max_connections=CONNECTIONS
    )
}
DATABASES["default"]["OPTIONS"]["pool"].update(reset=report_and_forget, timeout=5)
