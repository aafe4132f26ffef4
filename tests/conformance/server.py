"""The fixture on the transport that serves /mcp, with one caller for everybody.

For the conformance suite only, which sends no token:
`uvicorn tests.conformance.server:application`.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402  (needs the settings)
from django.core.handlers.asgi import ASGIRequest  # noqa: E402

from bottlecrm_mcp.asgi import McpApplication, with_mcp  # noqa: E402
from bottlecrm_mcp.conf import mcp_settings  # noqa: E402
from bottlecrm_mcp.gateway.base import Caller  # noqa: E402
from bottlecrm_mcp.gateway.in_process.deadline import Deadline  # noqa: E402
from bottlecrm_mcp.gateway.in_process.gateway import Origin  # noqa: E402
from bottlecrm_mcp.hosted.admission import Call  # noqa: E402
from bottlecrm_mcp.hosted.execution import keys, run_as_caller  # noqa: E402
from bottlecrm_mcp.tools.registry import Registry  # noqa: E402
from tests.conformance.fixture import FixtureServer  # noqa: E402

CALLER = Caller("1", "Fixture", "fixture@example.com", "USER", "1", "Conformance", "UTC")


async def admit(request: ASGIRequest) -> Call:
    return Call(CALLER, "", Origin(), Deadline(mcp_settings().CALL_SECONDS))


server = FixtureServer(Registry(mcp_settings().catalogue), lambda: CALLER, run_as_caller, keys())
application = with_mcp(get_asgi_application(), McpApplication(server, admit))
