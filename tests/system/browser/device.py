"""A device with the employer app open on it, and actions of its user."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.support.http_server import PASSWORD, RunningServer

PHONE = {"viewport": {"width": 360, "height": 780}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 860}}


class Visit:
    """A page of the app. `sent` has the saved operations that the page has sent, in order, with their requests.

    `expected` is a pattern of console errors that do not fail the test.
    """

    def __init__(self, context: BrowserContext, page: Page, address: str) -> None:
        self.context = context
        self.page = page
        self.address = address
        self.sent: list[tuple[str, Request]] = []
        self.expected = ""
        self._console_errors: list[str] = []
        page.on("request", self._record_request)
        page.on("pageerror", lambda error: self._console_errors.append(str(error)))
        page.on("console", self._record_console)

    def _record_request(self, request: Request) -> None:
        if urlsplit(request.url).path != "/graphql":
            return
        # Raises KeyError if the page sends a document's text instead of the name of a saved operation.
        body = request.post_data_json if request.method == "POST" else None
        name = body["documentId"] if body else parse_qs(urlsplit(request.url).query)["documentId"][0]
        self.sent.append((name, request))

    def _record_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._console_errors.append(message.text)

    def console_errors(self) -> list[str]:
        """Returns the errors and warnings in the console that do not match `expected`."""
        return [each for each in self._console_errors if not (self.expected and re.search(self.expected, each))]

    def names(self) -> list[str]:
        """Returns the names of the operations sent so far."""
        return [name for name, _ in self.sent]

    async def start(self) -> None:
        """Opens the app."""
        await self.page.goto(f"{self.address}/kpi/")
        await expect(self.heading()).to_be_visible()

    def heading(self, name: str | None = None) -> Locator:
        """Returns the screen's heading."""
        return self.page.get_by_role("heading", level=1, name=name, exact=True) if name else self.page.locator("h1")

    async def fill_in(self, username: str, password: str = PASSWORD) -> None:
        """Fills in the sign-in form and submits it."""
        await self.page.get_by_label("Username").fill(username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign in").click()

    async def sign_in(self, username: str) -> None:
        """Signs in, and waits until the data is shown and the event streams are open."""
        await self.fill_in(username)
        await expect(self.page.locator(".visits")).to_be_visible()
        await self.is_live()

    async def is_live(self) -> None:
        """Waits until the event streams are open."""
        await expect(self.page.locator(".freshness")).to_contain_text("Live")

    async def is_settled(self) -> None:
        """Waits until the app sends no more requests."""
        while True:
            count = len(self.sent)
            await self.page.wait_for_timeout(600)
            if len(self.sent) == count and await self.page.locator(".turning").count() == 0:
                return

    async def go(self, path: str, heading: str | None = None) -> None:
        """Goes to a screen by its path, such as `learners?show=AHEAD`."""
        await self.page.evaluate("path => { location.hash = `#/${path}` }", path)
        if heading:
            await expect(self.heading(heading)).to_be_visible()

    async def texts(self, selector: str) -> list[str]:
        """Returns the visible text of each element that matches the selector."""
        return [" ".join(text.split()) for text in await self.page.locator(selector).all_inner_texts()]

    async def stored(self, store: str) -> dict[str, Any]:
        """Returns the entries of one of the app's IndexedDB stores."""
        return await self.page.evaluate(
            """store => new Promise((resolve, reject) => {
                const opening = indexedDB.open("waymark-kpi");
                opening.onerror = () => reject(opening.error);
                opening.onsuccess = () => {
                    const entries = {};
                    const reading = opening.result.transaction(store).objectStore(store).openCursor();
                    reading.onsuccess = ({ target: { result: cursor } }) => {
                        if (!cursor) { opening.result.close(); resolve(entries); return; }
                        entries[cursor.key] = cursor.value;
                        cursor.continue();
                    };
                };
            })""",
            store,
        )


@asynccontextmanager
async def visiting(
    browser: Browser,
    running: RunningServer,
    *,
    phone: bool = False,
    dark: bool = False,
    installs: bool = True,
    **settings: Any,
) -> AsyncIterator[Visit]:
    """Opens the app on a new device, at the sign-in screen. `settings` are passed to Playwright's browser context.

    `installs`: the app has its service worker.
    """
    context = await browser.new_context(
        **{**(PHONE if phone else DESKTOP), **settings},
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        # Not London, to test that the app shows London's time on every device.
        timezone_id="America/New_York",
    )
    # Every expected element appears within moments; this only bounds a failure.
    context.set_default_timeout(15_000)
    if not installs:
        # As in browsers that have none.
        await context.add_init_script("delete Navigator.prototype.serviceWorker")
    visit = Visit(context, await context.new_page(), running.address)
    try:
        await visit.start()
        yield visit
    finally:
        await context.close()
