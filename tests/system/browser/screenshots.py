"""Takes screenshots of the employer app over the demo: `python -m tests.system.browser.screenshots FOLDER`."""

import asyncio
import sys
import tempfile
from pathlib import Path

import structlog
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.databases import Databases
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer
from tests.system.browser.conftest import find_chromium
from tests.system.browser.device import Visit, visiting

DEVICES = {
    "phone": {"phone": True},
    "phone-dark": {"phone": True, "dark": True},
    "desktop": {},
    "desktop-dark": {"dark": True},
}
# The screens that are also taken in dark mode.
DARK = {"overview", "learner", "document"}
# The height in CSS pixels at which a long page is cut.
MAX_HEIGHT = {"phone": 1500, "desktop": 1100}


async def main(folder: Path) -> None:
    """Writes `<screen>-<device>.png` for every screen and device."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("Chromium is not installed (Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory() as folder_name:
        databases = Databases(Path(folder_name))
        async with Demo(databases, Path(folder_name)).serving("sqlite") as running, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium)
            for device, settings in DEVICES.items():
                await take_device(browser, running, folder, device, settings)
            await browser.close()
        await databases.close()


async def take_device(
    browser: Browser, running: RunningServer, folder: Path, device: str, settings: dict[str, bool]
) -> None:
    """Takes every screen on one device."""

    async def take_screen(screen: str) -> None:
        if "dark" in device and screen not in DARK:
            return
        await take(visit.page, folder / f"{screen}-{device}.png", MAX_HEIGHT[device.partition("-")[0]])
        print(f"{screen}-{device}.png")

    async with visiting(browser, running, reduced_motion="reduce", **settings) as visit:
        await take_screen("sign-in")
        await visit.sign_in("employer.overview")
        await visit.is_settled()
        await take_screen("overview")
        await visit.go("learners", "Learners")
        await take_screen("learners")
        await visit.go("learners?show=OFF_TRACK", "Learners")
        await take_screen("learners-off-track")
        await visit.go("learners/Learner_1", "Maya Thornton")
        await visit.page.locator("summary").first.click()
        await expect(visit.page.locator(".criteria li").first).to_be_visible()
        await take_screen("learner")
        await visit.go("documents", "Documents to sign")
        await take_screen("documents")
        await open_document(visit)
        await take_screen("document")
        await visit.go("time", "Time to confirm")
        await take_screen("time")
        await visit.go("learners/Learner_1/reviews", "Maya Thornton")
        await visit.page.get_by_role("link", name="Progress review 2").click()
        await open_file(visit)
        await take_screen("review")
        await visit.go("account", "Your account")
        await take_screen("account")
        await visit.go("", "Overview")
        await visit.context.set_offline(True)
        await expect(visit.page.locator(".freshness")).to_contain_text("Offline")
        await take_screen("offline")


async def open_document(visit: Visit) -> None:
    """Goes to a document, opens it and ticks the box."""
    await visit.page.locator(".document-card a").first.click()
    await open_file(visit)
    await visit.page.get_by_label("I have read this document and sign it.").check()
    await visit.is_settled()


async def open_file(visit: Visit) -> None:
    """Opens the document of the screen."""
    await visit.page.get_by_role("button", name="Open the document").click()
    await expect(visit.page.locator(".reader-pages canvas").first).to_be_visible()


async def take(page: Page, path: Path, max_height: int) -> None:
    """Takes the whole page, in a window as high as the page."""
    size = page.viewport_size
    await page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(height, max_height))})
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(200)
    await page.screenshot(path=path)
    await page.set_viewport_size(size)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
