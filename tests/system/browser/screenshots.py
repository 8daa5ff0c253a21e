"""Takes a picture of every screen of the employer app, over the demo: `python -m tests.system.browser.screenshots FOLDER`."""

import asyncio
import sys
import tempfile
from pathlib import Path

import structlog
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.databases import Databases
from tests.support.demo_server import Demo
from tests.support.http_server import Running
from tests.system.browser.conftest import executable
from tests.system.browser.device import Visit, visiting

DEVICES = {
    "phone": {"phone": True},
    "phone-dark": {"phone": True, "dark": True},
    "desktop": {},
    "desktop-dark": {"dark": True},
}
# In the dark one screen of each kind is enough.
DARK = {"glance", "learner", "document"}
# A long page is shown down to here (CSS pixels).
LONGEST = {"phone": 1500, "desktop": 1100}


async def main(folder: Path) -> None:
    """Writes `<screen>-<device>.png` for every screen and device."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    folder.mkdir(parents=True, exist_ok=True)
    chromium = executable()
    if chromium is None:
        raise SystemExit("There is no Chromium on this machine (Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory() as place:
        databases = Databases(Path(place))
        async with Demo(databases, Path(place)).serving("sqlite") as running, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium)
            for device, settings in DEVICES.items():
                await of_device(browser, running, folder, device, settings)
            await browser.close()
        await databases.close()


async def of_device(browser: Browser, running: Running, folder: Path, device: str, settings: dict[str, bool]) -> None:
    """Every screen on one device."""

    async def taken(screen: str) -> None:
        if "dark" in device and screen not in DARK:
            return
        await take(visit.page, folder / f"{screen}-{device}.png", LONGEST[device.partition("-")[0]])
        print(f"{screen}-{device}.png")

    async with visiting(browser, running, reduced_motion="reduce", **settings) as visit:
        await taken("sign-in")
        await visit.sign_in("employer.overview")
        await visit.is_settled()
        await taken("glance")
        await visit.go("learners", "Learners")
        await taken("learners")
        await visit.go("learners?show=OFF_TRACK", "Learners")
        await taken("learners-off-track")
        await visit.go("learners/Learner_1", "Maya Thornton")
        await visit.page.locator("summary").first.click()
        await expect(visit.page.locator(".criteria li").first).to_be_visible()
        await taken("learner")
        await visit.go("documents", "Documents to sign")
        await taken("documents")
        await document(visit)
        await taken("document")
        await visit.go("account", "Your account")
        await taken("account")
        await visit.go("", "At a glance")
        await visit.context.set_offline(True)
        await expect(visit.page.locator(".freshness")).to_contain_text("Offline")
        await taken("offline")


async def document(visit: Visit) -> None:
    """To a document that has been opened and ticked, and is about to be signed."""
    await visit.page.locator(".paper a").first.click()
    async with visit.page.expect_download():
        await visit.page.get_by_role("button", name="Open the document").click()
    await visit.page.get_by_label("I have read this document and sign it.").check()
    await visit.is_settled()


async def take(page: Page, path: Path, longest: int) -> None:
    """The whole page, as a window of its height would show it."""
    size = page.viewport_size
    await page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    height = await page.evaluate("document.documentElement.scrollHeight")
    await page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(height, longest))})
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(200)
    await page.screenshot(path=path)
    await page.set_viewport_size(size)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
