"""A person in Chromium: signs in, chooses the organisation, allows what a client asks for."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

from tests.pat_tokens.pages.browser import ARGUMENTS
from tests.programs import CHROMIUM

PATIENCE = 30
CODE = re.compile(r"\b\d{6}\b")


@dataclass(frozen=True)
class Identity:
    """How somebody signs in: with a password, or with codes that are mailed into a folder.

    `token` is one of theirs, for clients that take one.
    """

    email: str
    organisation: str = ""
    password: str = ""
    mails: Path | None = None
    token: str = ""


class Person:
    """Stays signed in, as people do: a host mails only so many codes."""

    def __init__(self, page: Page, identity: Identity) -> None:
        self.page = page
        self.identity = identity

    def decide(self, url: str) -> str:
        """Allow what a client asks for; what its own page says in the end."""
        self.page.goto(url)
        self._sign_in()
        self.page.get_by_role("button", name="Allow").click()
        self.page.wait_for_url(lambda where: "/connect/" not in urlsplit(where).path)
        return " ".join(self.page.locator("body").inner_text().split())[:200]

    def disconnect(self, origin: str, client: str) -> None:
        self.page.goto(f"{origin}/settings/api-tokens/")
        self._sign_in()
        self.page.get_by_role("link", name=f"Disconnect {client}").first.click()
        self.page.get_by_role("button", name=f"Disconnect “{client}”").click()
        self.page.get_by_role("status").wait_for()

    def _sign_in(self) -> None:
        page, identity = self.page, self.identity
        if page.get_by_label("Password").count():
            page.get_by_label("Email").fill(identity.email)
            page.get_by_label("Password").fill(identity.password)
            self._press("Sign in")
        elif page.get_by_label("E-mail address").count():
            before = time.time()
            page.get_by_label("E-mail address").fill(identity.email)
            self._press("Send the code")
            page.get_by_label("Code").fill(self._mailed_code(before))
            self._press("Sign in")
        if page.get_by_role("heading", name="Choose an organisation").count():
            self._press(identity.organisation)

    def _press(self, button: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button).click()

    def _mailed_code(self, since: float) -> str:
        assert self.identity.mails is not None
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for path in self.identity.mails.glob("*"):
                # Files are dated by the kernel's coarser clock.
                if path.stat().st_mtime > since - 1:
                    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
                    if mail["To"] == self.identity.email and (
                        found := CODE.search(mail["Subject"])
                    ):
                        return found[0]
            time.sleep(0.2)
        raise TimeoutError(f"No code was mailed to {self.identity.email}.")


@contextmanager
def person(identity: Identity) -> Iterator[Person]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_context().new_page()
        page.set_default_timeout(PATIENCE * 1000)
        try:
            yield Person(page, identity)
        finally:
            browser.close()
