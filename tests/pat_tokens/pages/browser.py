"""The demo behind a real server, and Chromium in front of it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Request, sync_playwright

from tests.programs import CHROMIUM

REFUSED = "the server responded with a status of 4"
EVERY_RULE: dict[str, Any] = {"resultTypes": ["violations"]}
# What another colour scheme may break.
OF_COLOURS = {**EVERY_RULE, "runOnly": ["color-contrast", "link-in-text-block"]}
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def serving() -> Iterator[str]:
    from settings.asgi import application

    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def chromium() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, and Django takes that for asynchronous code.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, site: str, *, refusals: bool = False, **options: Any
) -> Iterator[Page]:
    """A page that may load nothing from elsewhere and may break nothing of the policy.

    With `refusals` it may be answered 4xx, of which the console tells.
    """
    context = browser.new_context(base_url=site, **options)
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: _complain(complaints, message))
    page.on("request", lambda request: _stay(complaints, site, request.url))
    unanswered: set[Request] = set()
    page.on("request", lambda request: unanswered.add(request))
    page.on("requestfinished", lambda request: unanswered.discard(request))
    page.on("requestfailed", lambda request: unanswered.discard(request))
    try:
        yield page
        # A request that is cut off would leave its database connection behind.
        page.wait_for_load_state()
        while unanswered:
            page.wait_for_timeout(10)
        if refusals:
            complaints = [each for each in complaints if REFUSED not in each]
        assert complaints == []
    finally:
        context.close()


def _complain(complaints: list[str], message: Any) -> None:
    if message.type in ("error", "warning"):
        complaints.append(message.text)


def _stay(complaints: list[str], site: str, url: str) -> None:
    if not url.startswith((site, "data:")):
        complaints.append(f"requested {url}")


def assert_looks(page: Page, *, rules: dict[str, Any] = EVERY_RULE) -> None:
    """Nothing is wider than the screen, and axe-core finds nothing to complain of."""
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], page.url
    found = Axe().run(page, options=rules)
    assert not found.violations_count, found.generate_report()


def picture(shown: Page | Locator, name: str, **options: Any) -> None:
    """For the docs, where SCREENSHOTS names a folder to keep it in."""
    if folder := os.environ.get("SCREENSHOTS"):
        shown.screenshot(path=Path(folder) / name, **options)


def sign_in(page: Page, email: str) -> None:
    page.goto("/settings/api-tokens/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Your tokens").wait_for()
