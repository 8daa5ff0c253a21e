"""Fixtures for the browser tests: the machine's Chromium, driven by Playwright, and servers over the demo."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer
from tests.system.browser.device import Visit, visiting

NAMES = ("chromium", "chromium-browser", "google-chrome")
# There is no screen: without a process for the graphics a page takes a fifth less of a core.
ARGUMENTS = ["--disable-gpu", "--in-process-gpu"]
# What is expected appears within moments; this only bounds a failure, on a machine with more to do than these tests.
expect.set_options(timeout=20_000)


def find_chromium() -> str | None:
    """Returns the path of the machine's Chromium."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for the run. The tests are skipped if the machine has no Chromium; none is downloaded."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("Chromium is not installed, so the employer app is not tested (Debian: chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def running(browser: Browser, demo: Demo) -> AsyncIterator[RunningServer]:
    """A server over the demo, in which tests change nothing but sessions."""
    async with demo.serving("sqlite") as served:
        yield served


@pytest.fixture
async def own_running(browser: Browser, demo: Demo) -> AsyncIterator[RunningServer]:
    """A server over a demo of its own, which the test may change."""
    async with demo.serving("sqlite") as served:
        yield served


Open = Callable[..., Awaitable[Visit]]


@pytest.fixture
async def open_app(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Opens the app on a device of its own: `await open_app(running, "employer.manager", phone=True, dark=True)`.

    In a file with `INSTALLS = False` the app has no service worker, which fetches every file of the app a second time
    and takes a fifth of a visit. At the end, errors and warnings in a page's console fail the test, unless they match
    `visit.expected`.
    """
    async with AsyncExitStack() as stack:
        visits = []

        async def open_visit(served: RunningServer, username: str | None = None, **device: bool) -> Visit:
            device.setdefault("installs", getattr(request.module, "INSTALLS", True))
            visit = await stack.enter_async_context(visiting(browser, served, **device))
            visits.append(visit)
            if username:
                await visit.sign_in(username)
            return visit

        yield open_visit
        for visit in visits:
            assert visit.console_errors() == []
