"""One device with the employer app open on it, and what a person does there."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Browser, BrowserContext, Locator, Page, Request, expect

from tests.support.http_server import PASSWORD, Running

PHONE = {"viewport": {"width": 360, "height": 780}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 860}}


class Visit:
    """A page of the app. `asked` holds the saved operations that it has sent, in order, with their requests."""

    def __init__(self, context: BrowserContext, page: Page, address: str) -> None:
        self.context = context
        self.page = page
        self.address = address
        self.asked: list[tuple[str, Request]] = []
        self.expected = ""
        self._complaints: list[str] = []
        page.on("request", self._note)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and self._complaints.append(said.text))

    def _note(self, request: Request) -> None:
        if urlsplit(request.url).path != "/graphql":
            return
        # A document of the page's own making would have no documentId, and fail here.
        sent = request.post_data_json if request.method == "POST" else None
        name = sent["documentId"] if sent else parse_qs(urlsplit(request.url).query)["documentId"][0]
        self.asked.append((name, request))

    def complaints(self) -> list[str]:
        """Errors and warnings of the page, less those that a test expects (`expected`, a pattern)."""
        return [each for each in self._complaints if not (self.expected and re.search(self.expected, each))]

    def names(self) -> list[str]:
        """The operations sent so far."""
        return [name for name, _ in self.asked]

    async def start(self) -> None:
        """Opens the app's address."""
        await self.page.goto(f"{self.address}/kpi/")
        await expect(self.heading()).to_be_visible()

    def heading(self, name: str | None = None) -> Locator:
        """The screen's heading."""
        return self.page.get_by_role("heading", level=1, name=name, exact=True) if name else self.page.locator("h1")

    async def fill_in(self, username: str, password: str = PASSWORD) -> None:
        """Fills in the sign-in and sends it."""
        await self.page.get_by_label("Username").fill(username)
        await self.page.get_by_label("Password").fill(password)
        await self.page.get_by_role("button", name="Sign in").click()

    async def sign_in(self, username: str) -> None:
        """Signs in, and waits until the numbers stand and the streams are open."""
        await self.fill_in(username)
        await expect(self.page.locator(".visits")).to_be_visible()
        await self.is_live()

    async def is_live(self) -> None:
        """Waits until changes elsewhere would arrive."""
        await expect(self.page.locator(".freshness")).to_contain_text("Live")

    async def is_settled(self) -> None:
        """Waits until the app asks for nothing more."""
        while True:
            sent = len(self.asked)
            await self.page.wait_for_timeout(600)
            if len(self.asked) == sent and await self.page.locator(".turning").count() == 0:
                return

    async def go(self, place: str, heading: str | None = None) -> None:
        """Goes to a screen by its address, such as `learners?show=AHEAD`."""
        await self.page.evaluate("place => { location.hash = `#/${place}` }", place)
        if heading:
            await expect(self.heading(heading)).to_be_visible()

    async def texts(self, selector: str) -> list[str]:
        """The visible words of each such element."""
        return [" ".join(text.split()) for text in await self.page.locator(selector).all_inner_texts()]

    async def kept(self, store: str) -> dict[str, Any]:
        """What lies in one of the app's stores on this device."""
        return await self.page.evaluate(
            """store => new Promise((resolve, reject) => {
                const opening = indexedDB.open("waymark-kpi");
                opening.onerror = () => reject(opening.error);
                opening.onsuccess = () => {
                    const place = opening.result.transaction(store).objectStore(store);
                    const found = {};
                    place.openCursor().onsuccess = ({ target: { result: cursor } }) => {
                        if (!cursor) { opening.result.close(); resolve(found); return; }
                        found[cursor.key] = cursor.value;
                        cursor.continue();
                    };
                };
            })""",
            store,
        )


@asynccontextmanager
async def visiting(
    browser: Browser, running: Running, *, phone: bool = False, dark: bool = False, **settings: Any
) -> AsyncIterator[Visit]:
    """A device of its own with the app open, at the sign-in. `settings` are further ones of Playwright's context."""
    context = await browser.new_context(
        **{**(PHONE if phone else DESKTOP), **settings},
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        # Not London: what the app says is London's time wherever the device is.
        timezone_id="America/New_York",
    )
    # What the tests wait for is there in moments; what is not there in this time does not come.
    context.set_default_timeout(15_000)
    visit = Visit(context, await context.new_page(), running.address)
    try:
        await visit.start()
        yield visit
    finally:
        await context.close()
