from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from mcp.client.extension import ClientExtension

from bottlecrm_mcp.hosted import thread_pool
from demo_crm.models import Profile
from settings.asgi import application
from tests.agent import LEGACY, MODERN, Agent, Person, connected
from tests.bottlecrm_mcp.conftest import alpha, beta  # noqa: F401 (fixtures)

Steps = Callable[[Agent], Awaitable[Any]]


@pytest.fixture(params=[MODERN, LEGACY])
def era(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def one_thread(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools run where the test's transaction is, not on the server's own threads."""

    async def here(work: Callable[[], Any]) -> Any:
        return await sync_to_async(work, thread_sensitive=True)()

    monkeypatch.setattr(thread_pool, "in_pool", here)


@pytest.fixture
def live(one_thread: None, token_for: Callable[..., str]) -> Callable[..., Any]:
    """Runs steps with an agent that is connected as this person."""

    def run(
        profile: Profile,
        steps: Steps,
        *,
        era: str = MODERN,
        person: Person | None = None,
        extensions: Sequence[ClientExtension] = (),
        **token: Any,
    ) -> Any:
        async def through(secret: str) -> Any:
            async with connected(application, secret, era, person, extensions) as agent:
                return await steps(agent)

        # Not asyncio.run: this is how tools find back to the thread with the transaction.
        return async_to_sync(through)(token_for(profile, **token))

    return run
