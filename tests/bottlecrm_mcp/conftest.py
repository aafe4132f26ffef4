from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from bottlecrm_mcp import asgi
from bottlecrm_mcp.conf import mcp_settings
from bottlecrm_mcp.gateway.in_process.gateway import InProcessGateway
from bottlecrm_mcp.hosted import thread_pool
from bottlecrm_mcp.hosted.authentication import authenticate
from bottlecrm_mcp.hosted.execution import seal
from bottlecrm_mcp.tools.crm import Crm
from bottlecrm_mcp.tools.errors import ToolError
from bottlecrm_mcp.tools.registry import Registry
from demo_crm.models import Profile
from tests.bottlecrm_mcp.population import populate
from tests.kept import kept

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def crm_of(token_for: Callable[..., str]) -> Callable[..., Crm]:
    """What the tools work with, as this person."""

    def make(profile: Profile, **token: Any) -> Crm:
        secret = token_for(profile, **token)
        caller = authenticate(secret)
        catalogue = mcp_settings().catalogue
        return Crm(caller, catalogue, InProcessGateway(catalogue, caller, secret), seal())

    return make


@pytest.fixture
def tools_of(crm_of: Callable[..., Crm]) -> Callable[..., Call]:
    """Calls tools as this person; an error is answered as the client would see it."""
    registry = Registry(mcp_settings().catalogue)

    def make(profile: Profile, **token: Any) -> Call:
        crm = crm_of(profile, **token)

        def call(name: str, /, **arguments: Any) -> dict[str, Any]:
            tool = registry.get(name)
            assert tool is not None
            try:
                # As for each call: nothing is remembered from the one before.
                return tool.call(replace(crm, custom_fields={}), arguments)
            except ToolError as error:
                return error.as_dict()

        return call

    return make


@pytest.fixture
def admin(tools_of: Callable[..., Call], alpha_admin: Profile) -> Call:
    return tools_of(alpha_admin)


@pytest.fixture
def user(tools_of: Callable[..., Call], alpha_user: Profile) -> Call:
    return tools_of(alpha_user)


@pytest.fixture
def stranger(tools_of: Callable[..., Call], beta_admin: Profile) -> Call:
    """An administrator of the other organisation."""
    return tools_of(beta_admin)


@pytest.fixture
def alpha(two_orgs: SimpleNamespace) -> SimpleNamespace:
    """The first organisation with records in it."""
    return kept(populate, two_orgs.alpha_admin, two_orgs.alpha_user)


@pytest.fixture
def beta(two_orgs: SimpleNamespace) -> SimpleNamespace:
    """The other organisation with records in it."""
    return kept(populate, two_orgs.beta_admin, two_orgs.beta_user)


async def other_application(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"the other application"})


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Any:
    """/mcp in front of another application; tools run on this thread, in the test's transaction."""

    async def here(work: Callable[[], Any]) -> Any:
        return await sync_to_async(work, thread_sensitive=True)()

    monkeypatch.setattr(thread_pool, "in_pool", here)
    return asgi.with_mcp(other_application)
