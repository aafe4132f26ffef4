"""The fixture on the transport that serves /mcp, with one caller for everybody.

For the conformance suite only, which sends no token: `uvicorn conformance.server:application`.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402  (needs the settings)
from django.core.handlers.asgi import ASGIRequest  # noqa: E402

from bottlecrm_mcp.admission import Call  # noqa: E402
from bottlecrm_mcp.as_caller import keys, run_as_caller  # noqa: E402
from bottlecrm_mcp.asgi import McpApplication, with_mcp  # noqa: E402
from bottlecrm_mcp.conf import mcp_settings  # noqa: E402
from bottlecrm_mcp.gateway.base import Caller  # noqa: E402
from bottlecrm_mcp.gateway.in_process import Origin  # noqa: E402
from bottlecrm_mcp.gateway.in_time import Deadline  # noqa: E402
from bottlecrm_mcp.tools.registry import Registry  # noqa: E402
from conformance.fixture import FixtureServer  # noqa: E402

CALLER = Caller("1", "Fixture", "fixture@example.com", "USER", "1", "Conformance", "UTC")


async def admit(request: ASGIRequest) -> Call:
    return Call(CALLER, "", Origin(), Deadline(mcp_settings().CALL_SECONDS))


server = FixtureServer(Registry(mcp_settings().catalogue), lambda: CALLER, run_as_caller, keys())
application = with_mcp(get_asgi_application(), McpApplication(server, admit))
