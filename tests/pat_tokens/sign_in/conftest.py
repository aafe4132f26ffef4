"""A host like BottleCRM: people sign in to the pages by a mailed code."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from demo_crm.models import Org, Profile

URL = "/settings/api-tokens/"
SIGN_IN = f"{URL}sign-in/"


@pytest.fixture(autouse=True)
def _by_email_code(settings: Any) -> Iterator[None]:
    del settings.PAT_TOKENS_SIGN_IN
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def browser() -> "Browser":
    return Browser()


@pytest.fixture
def in_both(alpha_user: Profile, beta_user: Profile) -> Profile:
    """Of Alpha and Beta; this is the membership of Alpha."""
    Profile.objects.create(user=alpha_user.user, org=beta_user.org)
    return alpha_user


class Browser(Client):
    """Checks CSRF tokens, and sends them."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True)

    def submit(self, url: str, **form: Any) -> Any:
        """POST a form of the page at this URL, which is loaded first."""
        self.get(url)
        return self.resubmit(url, **form)

    def resubmit(self, url: str, **form: Any) -> Any:
        form["csrfmiddlewaretoken"] = self.cookies["csrftoken"].value
        return self.post(url, form)

    def ask(self, email: str, url: str = SIGN_IN) -> str:
        """Ask for a code; the code that was mailed."""
        answer = self.submit(url, email=email)
        assert answer.status_code == 302
        assert answer["Location"].startswith(f"{SIGN_IN}?next=%2Fsettings%2Fapi-tokens%2F")
        return mailed_code()

    def sign_in(self, profile: Profile, url: str = SIGN_IN) -> Any:
        """With the right code; the answer to it."""
        code = self.ask(profile.user.email, url)
        return self.submit(url, code=code)

    def choose(self, org: Org, url: str = f"{SIGN_IN}organisation/") -> Any:
        page = self.get(url).content.decode()
        member = re.search(rf'value="([^"]+)"[^>]*>{org.name}', page)
        assert member, page
        return self.resubmit(url, member=member[1])


def mailed_code() -> str:
    found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert found
    return found[0]
