"""What tests of the employer app share: Debian's Chromium, driven by Playwright, on a server over the demo."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, async_playwright

from tests.support.demo_server import Demo
from tests.support.http_server import Running
from tests.system.browser.device import Visit, visiting

NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str | None:
    """Where the machine's Chromium is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for the run. Nothing is downloaded: it is the machine's own, or these tests are skipped."""
    chromium = executable()
    if chromium is None:
        pytest.skip("there is no Chromium on this machine, so the employer app is not tested (Debian: chromium)")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium)
        yield started
        await started.close()


@pytest.fixture(scope="session")
async def running(browser: Browser, demo: Demo) -> AsyncIterator[Running]:
    """A server over the demo, of which nobody changes more than sign-ins."""
    async with demo.serving("sqlite") as served:
        yield served


@pytest.fixture
async def own_running(browser: Browser, demo: Demo) -> AsyncIterator[Running]:
    """A server over a demo that the test may change."""
    async with demo.serving("sqlite") as served:
        yield served


Open = Callable[..., Awaitable[Visit]]


@pytest.fixture
async def open_app(browser: Browser) -> AsyncIterator[Open]:
    """Opens the app on a device of its own: `await open_app(running, "employer.manager", phone=True, dark=True)`.

    At the end, whatever a page complained of is a failure, unless the test has expected it (`visit.expected`).
    """
    async with AsyncExitStack() as stack:
        visits = []

        async def opened(served: Running, username: str | None = None, **device: bool) -> Visit:
            visit = await stack.enter_async_context(visiting(browser, served, **device))
            visits.append(visit)
            if username:
                await visit.sign_in(username)
            return visit

        yield opened
        for visit in visits:
            assert visit.complaints() == []
