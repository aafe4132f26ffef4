import gc
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from rest_framework.test import APIClient

from demo_crm.access.row_security import org_context as in_org
from demo_crm.models import Org, Profile, User
from settings.database import database, unsafe_role
from settings.postgres import ensure_database_url
from tests import flush
from tests.kept import kept

TEST_DB = Path(__file__).parent.parent / ".test-db"


def pytest_collection_finish() -> None:
    """What is loaded by now stays: no garbage collection has to look through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The first test that needs a database starts one, unless the environment names one."""
    url = ensure_database_url(TEST_DB, durable=False)
    if message := unsafe_role(url):
        pytest.exit(message, returncode=2)
    os.environ["DATABASE_URL"] = url
    settings.DATABASES["default"].update(database(url))
    # Nothing of a test has to survive a power cut.
    settings.DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """A connection that is still being reset when its pool closes would stay open for good."""
    with pytest.MonkeyPatch.context() as patch:
        flush.only_what_tests_leave(patch)
        yield
    connection.close()
    until = monotonic() + 5
    while resetting() and monotonic() < until:
        sleep(0.01)


def resetting() -> bool:
    pool = getattr(connection, "pool", None)
    state = pool.get_stats() if pool else {}
    return state.get("pool_available") != state.get("pool_size")


@pytest.fixture(scope="session", autouse=True)
def _logged_calls_wait() -> Iterator[None]:
    """No thread stores them, which would not see what a test has not committed."""
    from pat_tokens.audit.calls import CallLog, call_log

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CallLog, "_start", lambda self: None)
        yield
        call_log.__init__()  # type: ignore[misc]


@pytest.fixture
def calls(db: None) -> Callable[..., list[Any]]:
    """The call log of an organisation, oldest first; it has the calls of this test."""
    from pat_tokens.audit.calls import call_log
    from pat_tokens.models import Call

    def read(org: Any, **filters: Any) -> list[Call]:
        assert call_log.flush()
        with in_org(org):
            return list(Call.objects.filter(**filters).order_by("created_at", "pk"))

    call_log.__init__()  # type: ignore[misc]
    return read


@pytest.fixture
def org_context() -> Callable[[Org], Any]:
    return in_org


@pytest.fixture
def two_orgs(db: None) -> SimpleNamespace:
    """Organisations alpha and beta with an administrator and a user each."""
    return kept(make_two_orgs)


def make_two_orgs() -> SimpleNamespace:
    alpha = Org.objects.create(name="Alpha", timezone="Asia/Kolkata")
    beta = Org.objects.create(name="Beta")
    return SimpleNamespace(
        alpha=alpha,
        beta=beta,
        alpha_admin=make_profile(alpha, Profile.Role.ADMIN),
        alpha_user=make_profile(alpha, Profile.Role.USER),
        beta_admin=make_profile(beta, Profile.Role.ADMIN),
        beta_user=make_profile(beta, Profile.Role.USER),
    )


def make_profile(org: Org, role: str) -> Profile:
    name = f"{org.name} {role.title()}"
    email = f"{name.lower().replace(' ', '.')}@example.com"
    user = User.objects.create_user(email, "secret", name=name)
    return Profile.objects.create(user=user, org=org, role=role)


@pytest.fixture
def alpha_admin(two_orgs: SimpleNamespace) -> Profile:
    return two_orgs.alpha_admin


@pytest.fixture
def alpha_user(two_orgs: SimpleNamespace) -> Profile:
    return two_orgs.alpha_user


@pytest.fixture
def beta_admin(two_orgs: SimpleNamespace) -> Profile:
    return two_orgs.beta_admin


@pytest.fixture
def beta_user(two_orgs: SimpleNamespace) -> Profile:
    return two_orgs.beta_user


@pytest.fixture
def token_for() -> Callable[..., str]:
    def make(
        profile: Profile,
        *,
        name: str = "test",
        scopes: list[str] | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        from pat_tokens.models import Token

        with in_org(profile.org):
            _, secret = Token.create(
                owner=profile, name=name, scopes=scopes or [], expires_at=expires_at
            )
        return secret

    return make


@pytest.fixture
def api() -> Callable[[Profile], APIClient]:
    """A client signed in as this person."""
    from demo_crm.access.identity import issue_access_token

    def client(profile: Profile) -> APIClient:
        # BottleCRM answers a server error with a page; raising would end the test instead.
        rest = APIClient(raise_request_exception=False)
        rest.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_access_token(profile)}")
        return rest

    return client


@pytest.fixture
def token_api(token_for: Callable[..., str]) -> Callable[..., APIClient]:
    """A client that carries a personal access token of this person."""

    def client(profile: Profile, **token: Any) -> APIClient:
        rest = APIClient(raise_request_exception=False)
        rest.credentials(HTTP_AUTHORIZATION=f"Bearer {token_for(profile, **token)}")
        return rest

    return client
