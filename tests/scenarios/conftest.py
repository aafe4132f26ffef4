import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework.test import APIClient

from demo_crm.models import Profile
from settings.asgi import application
from tests.agent import LEGACY, MODERN, Agent, Person, connected
from tests.sample_data import sample_data

Day = Callable[[Agent], Awaitable[Any]]


@pytest.fixture(params=[MODERN, LEGACY])
def era(request: pytest.FixtureRequest) -> str:
    """Forms on the newest revision, the `confirm` argument on the older ones."""
    return request.param


@pytest.fixture
def people(transactional_db: None) -> SimpleNamespace:
    """The demo's people, with its sample data. The tools run on the server's own threads."""
    by_name = {profile.user.name.split()[0].lower(): profile for profile in sample_data()}
    return SimpleNamespace(**by_name)


@pytest.fixture
def live(era: str, token_for: Callable[..., str]) -> Callable[[Profile, Day], Any]:
    """Lives through a day as this person."""

    async def through(secret: str, day: Day) -> Any:
        person = Person() if era == MODERN else None
        async with connected(application, secret, era, person) as agent:
            return await day(agent)

    return lambda profile, day: asyncio.run(through(token_for(profile), day))


@pytest.fixture
def record(api: Callable[[Profile], APIClient]) -> Callable[..., dict[str, Any]]:
    """A record as the REST API gives it to this person."""

    def get(profile: Profile, path: str) -> dict[str, Any]:
        answer = api(profile).get(f"/api/{path}/")
        assert answer.status_code == 200, answer.content
        return answer.json()

    return get
