"""Every screen for everybody: axe, keyboard, small and large, light and dark, little motion, installed."""

from importlib import resources

import pytest
from playwright.async_api import Page, expect

from tests.support.http_server import PASSWORD, Running
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
SCREENS = {
    "": "At a glance",
    "learners": "Learners",
    "learners/Learner_1": "Maya Thornton",
    "documents": "Documents to sign",
    "documents/SignatureRequest_4": "Training plan: change of hours",
    "account": "Your account",
}


async def faults(page: Page) -> list[str]:
    """What axe finds on the page as it stands, of every rule that it has but those marked experimental."""
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['impact']}: {one['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


async def screens(visit: Visit):
    for place, heading in SCREENS.items():
        await visit.go(place, heading)
        if place.startswith("learners/"):
            await expect(visit.page.locator("details").first).to_be_visible()
            await visit.page.locator("summary").first.click()
        yield place


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_axe_finds_nothing(running: Running, open_app: Open, dark: bool, phone: bool):
    visit = await open_app(running, dark=dark, phone=phone)
    assert await faults(visit.page) == []
    await visit.fill_in("employer.manager", "wrong")
    await expect(visit.page.get_by_role("alert")).to_be_visible()
    assert await faults(visit.page) == []
    await visit.sign_in("employer.manager")
    async for place in screens(visit):
        assert (place, await faults(visit.page)) == (place, [])
        if place.startswith("documents/"):
            await visit.page.get_by_role("button", name="Sign the document").click()
            await expect(visit.page.get_by_role("alert")).to_be_visible()
            assert await faults(visit.page) == []


async def test_axe_does_find(running: Running, open_app: Open):
    visit = await open_app(running)
    await visit.page.evaluate("document.querySelector('label').remove()")
    assert any("label" in fault for fault in await faults(visit.page))


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
async def test_nothing_reaches_over_the_edge(running: Running, open_app: Open, width: int):
    visit = await open_app(running, "employer.overview", viewport={"width": width, "height": 780})
    async for place in screens(visit):
        wider = await visit.page.evaluate(
            """() => [...document.querySelectorAll('main, main *, header *, nav *')]
                .filter(one => !one.closest('.unseen, [aria-hidden]') && one.getBoundingClientRect().width > 0)
                .map(one => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
                .filter(([_, place]) => place.right > innerWidth + 0.5 || place.left < -0.5)
                .map(([html]) => html)"""
        )
        assert (place, wider) == (place, [])


async def test_text_at_twice_the_size_still_fits(running: Running, open_app: Open):
    visit = await open_app(running, "employer.overview")
    await visit.page.set_viewport_size({"width": 640, "height": 780})
    await visit.page.evaluate("document.documentElement.style.fontSize = '200%'")
    async for place in screens(visit):
        assert (place, await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")) == (place, 0)


async def test_dark_and_light_are_two(running: Running, open_app: Open):
    colours = []
    for dark in (False, True):
        visit = await open_app(running, "employer.manager", dark=dark)
        colours.append(await visit.page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert colours == ["rgb(245, 244, 239)", "rgb(17, 24, 25)"]


async def test_with_little_motion_nothing_moves(running: Running, open_app: Open):
    moving = "() => [...document.querySelectorAll('*')].filter(one => one.getAnimations().length).length"
    animated = "getComputedStyle(document.querySelector('.refresh .icon')).animationName"
    for motion, name in (("reduce", "none"), ("no-preference", "turn")):
        visit = await open_app(running, "employer.manager", reduced_motion=motion)
        await visit.is_settled()
        await visit.page.evaluate("document.querySelector('.refresh').classList.add('turning')")
        assert await visit.page.evaluate(animated) == name
        assert bool(await visit.page.evaluate(moving)) == (motion != "reduce")


async def test_everything_is_done_with_the_keyboard_alone(own_running: Running, open_app: Open):
    visit = await open_app(own_running)
    page, keys = visit.page, visit.page.keyboard

    async def focused() -> str:
        return await page.evaluate(
            "(one => one === document.body ? '' : one.getAttribute('aria-label') ?? one.labels?.[0]?.innerText "
            "?? one.innerText)(document.activeElement)"
        )

    async def tab_to(words: str) -> None:
        for _ in range(60):
            await keys.press("Tab")
            if words in " ".join((await focused()).split()):
                # Where the focus is can be seen: on the element, or on what stands for it.
                assert await page.evaluate(
                    """() => { const one = document.activeElement;
                        const seen = element => element && getComputedStyle(element).outlineStyle !== 'none';
                        return seen(one) || seen(one.nextElementSibling) || seen(one.closest('label'))
                            || getComputedStyle(one, '::after').outlineStyle !== 'none'; }"""
                ), words
                return
        raise AssertionError(f"no way to {words!r} with Tab; the last was {await focused()!r}")

    await tab_to("Username")
    await keys.type("employer.manager")
    await tab_to("Password")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await expect(visit.heading("At a glance")).to_be_focused()
    await tab_to("Learners")
    await keys.press("Enter")
    # A new screen begins at its heading, for whoever listens to it.
    await expect(visit.heading("Learners")).to_be_focused()
    assert await page.title() == "Learners · Waymark"
    await tab_to("All")
    await keys.press("ArrowRight")
    await expect(page.get_by_role("radio", name="Off track")).to_be_checked()
    await expect(page.get_by_role("radio", name="Off track")).to_be_focused()
    await keys.press("ArrowLeft")
    await tab_to("Maya Thornton")
    await keys.press("Enter")
    await expect(visit.heading("Maya Thornton")).to_be_focused()
    await tab_to("Only what is left to do")
    await keys.press("Space")
    await expect(page.get_by_role("switch")).to_be_checked()
    await tab_to("not started")
    await keys.press("Enter")
    await expect(page.locator(".criteria li").first).to_be_visible()
    await page.go_back()
    await expect(visit.heading("Learners")).to_be_focused()
    await page.evaluate("document.activeElement.blur()")
    await page.reload()
    await tab_to("Skip to the content")
    await keys.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.reload()
    await tab_to("To sign")
    await keys.press("Enter")
    await tab_to("Training plan: change of hours")
    await keys.press("Enter")
    await tab_to("Open the document")
    async with page.expect_download():
        await keys.press("Enter")
    await expect(page.get_by_role("link", name="Open it again")).to_be_focused()
    await tab_to("I have read this document")
    await keys.press("Space")
    await tab_to("Your password")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await expect(page.locator("#said")).to_contain_text("You have signed")
    await expect(visit.heading("Documents to sign")).to_be_focused()
    await tab_to("Your account")
    await keys.press("Enter")
    await tab_to("Sign out")
    await keys.press("Enter")
    await expect(page.get_by_label("Username")).to_be_visible()


async def test_what_is_typed_and_opened_stays_while_numbers_change(running: Running, open_app: Open):
    visit = await open_app(running, "employer.manager")
    page = visit.page
    await visit.go("learners/Learner_1", "Maya Thornton")
    await page.locator("summary").nth(1).click()
    await page.locator("summary").nth(2).focus()
    await page.evaluate("scrollTo(0, 300)")
    await page.evaluate("document.querySelector('.refresh').click()")
    await expect(page.locator("#said")).to_have_text("Up to date.")
    assert await page.evaluate("[...document.querySelectorAll('details')].map(one => one.open).indexOf(true)") == 1
    await expect(page.locator("summary").nth(2)).to_be_focused()
    assert await page.evaluate("scrollY") == 300


async def test_the_app_can_be_installed(running: Running, open_app: Open):
    visit = await open_app(running, "employer.manager", phone=True)
    await visit.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    browser_tools = await visit.context.new_cdp_session(visit.page)
    manifest = await browser_tools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{running.address}/kpi/manifest.webmanifest"
    found = await browser_tools.send("Page.getInstallabilityErrors")
    # Playwright's contexts are private windows, which install nothing: that is all that stands against it.
    assert [one["errorId"] for one in found["installabilityErrors"]] in ([], ["in-incognito"])


async def test_nothing_is_loaded_from_elsewhere_and_the_policy_holds(running: Running, open_app: Open):
    visit = await open_app(running)
    sent = []
    visit.page.on("request", lambda request: sent.append(request.url))
    answer = await visit.page.reload()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    await visit.sign_in("employer.manager")
    async for _ in screens(visit):
        pass
    assert sent and all(url.startswith(running.address) for url in sent)
