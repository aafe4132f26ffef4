"""A host of cards in Chromium: the official client and the extension's own bridge, from npm."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FrameLocator, Page, Route

from tests.agent import Json

HERE = Path(__file__).parent
MODULES = Path(__file__).parents[4] / ".bridge" / "node_modules"
# What the specification has a host enforce where a card asks for nothing.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' data:; connect-src 'none'"
)
CARD_ORIGIN = "https://card.example"

needs_bridge = pytest.mark.skipif(
    not MODULES.is_dir(), reason="the host of cards is not installed: it takes npm and its registry"
)


class Host:
    """The host's page, and the card in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def card(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    @property
    def seen(self) -> dict[str, list[Any]]:
        """What the card asked of the host."""
        return self.page.evaluate("seen")

    def connect(self, secret: str, **context: Any) -> list[Json]:
        """The tools that this token is offered, cards and all."""
        self.page.evaluate("([secret, context]) => connect(secret, context)", [secret, context])
        return self.page.evaluate("tools")

    def call(self, tool: str, **arguments: Any) -> Json:
        """The result of a call as the host has it; its card is shown."""
        return self.page.evaluate("([tool, args]) => callTool(tool, args)", [tool, arguments])

    def change(self, **context: Any) -> None:
        self.page.evaluate("changed => change(changed)", context)

    def asked(self, kind: str) -> str:
        """What the card asked of the host last, as soon as it did."""
        self.page.wait_for_function("kind => seen[kind].length", arg=kind)
        return self.seen[kind][-1]

    def assert_looks(self) -> None:
        """The card is as high as it says, no wider than the frame, and axe-core likes it."""
        frame = self.page.frames[-1]
        fits = "() => document.documentElement.scrollWidth <= innerWidth && " + (
            "document.documentElement.scrollHeight <= innerHeight"
        )
        frame.wait_for_function(fits)
        found = Axe().run(frame)
        assert not found.violations_count, found.generate_report()


@contextmanager
def hosting(browser: Browser, site: str, complaints: list[str], **options: Any) -> Iterator[Host]:
    """A page of the site that shows cards. What a browser complains of is added to the list."""
    context = browser.new_context(base_url=site, **options)
    context.set_default_timeout(10_000)
    page = context.new_page()
    cards: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
    page.expose_function("keepCard", lambda card: cards.append(card))
    page.route(f"{site}/host/", lambda route: route.fulfill(path=HERE / "host.html"))
    page.route(f"{site}/modules/**", _module)
    page.route(
        f"{CARD_ORIGIN}/**",
        lambda route: route.fulfill(
            body=cards[-1],
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": POLICY},
        ),
    )
    try:
        page.goto("/host/")
        page.wait_for_function("window.isReady")
        yield Host(page)
        page.evaluate("close()")
        page.wait_for_load_state("networkidle")
    finally:
        context.close()


def _module(route: Route) -> None:
    path = MODULES / route.request.url.partition("/modules/")[2]
    route.fulfill(path=path, content_type="text/javascript")
