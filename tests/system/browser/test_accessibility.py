"""Accessibility of every screen: axe, keyboard, screen sizes, text size, dark mode, motion, installation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib import resources

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.http_server import PASSWORD, RunningServer
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit, visiting

# tests/system/browser/test_offline.py has the service worker, and others.
INSTALLS = False
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
TRANSITIONS_END = """async () => {
    const running = () => document.getAnimations().filter(animation => animation instanceof CSSTransition);
    while (running().length) await Promise.allSettled(running().map(transition => transition.finished));
}"""
SCREENS = {
    "": "Overview",
    "learners": "Learners",
    "learners/Learner_1": "Maya Thornton",
    "learners/Learner_1/evidence": "Maya Thornton",
    "actions": "Actions",
    "visits": "Visits",
    "time": "Time to confirm",
    "upload/Learner_1": "Upload evidence",
    "documents": "Documents to sign",
    "several-documents": "Sign several documents",
    "documents/SignatureRequest_4": "Training plan: change of hours",
    "account": "Your account",
}


async def violations(page: Page) -> list[str]:
    """Returns the violations that axe finds on the page, by all rules that are not experimental.

    Waits until no colour is on its way to another: half-way, the contrast is that of neither.
    """
    await page.evaluate(TRANSITIONS_END)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    result = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['impact']}: {violation['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


async def screens(visit: Visit) -> AsyncIterator[str]:
    """Goes to each screen and yields its path."""
    for path, heading in SCREENS.items():
        await visit.go(path, heading)
        if path == "learners/Learner_1":
            await expect(visit.page.locator("details").first).to_be_visible()
            await visit.page.locator("summary").first.click()
        yield path


# `walk` is the short form: there each screen is in one theme and of one size.
@pytest.mark.long
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_no_violation(running: RunningServer, open_app: Open, dark: bool, phone: bool):
    visit = await open_app(running, dark=dark, phone=phone)
    assert await violations(visit.page) == []
    await visit.fill_in("employer.manager", "wrong")
    await expect(visit.page.get_by_role("alert")).to_be_visible()
    assert await violations(visit.page) == []
    await visit.sign_in("employer.manager")
    async for path in screens(visit):
        assert (path, await violations(visit.page)) == (path, [])
        if path.startswith("documents/"):
            await visit.page.get_by_role("button", name="Sign the document").click()
            await expect(visit.page.get_by_role("alert")).to_be_visible()
            assert await violations(visit.page) == []


@pytest.mark.long
async def test_axe_finds_a_missing_label(running: RunningServer, open_app: Open):
    visit = await open_app(running)
    # Where the app draws, it would put a label back.
    await visit.page.evaluate("document.body.append(document.createElement('input'))")
    assert any("label" in violation for violation in await violations(visit.page))


WIDTHS = (320, 360, 768, 1280)
OVERFLOWING = """() => [...document.querySelectorAll('main, main *, header *, nav *')]
    .filter(e => !e.closest('.visually-hidden, [aria-hidden]') && e.getBoundingClientRect().width > 0)
    .map(e => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
    .filter(([_, box]) => box.right > innerWidth + 0.5 || box.left < -0.5)
    .map(([html]) => html)"""


@dataclass
class Walk:
    """What was found on the screens. `overflowing`: by width and path, the elements that overflow the screen."""

    overflowing: dict[int, dict[str, list[str]]]
    violations: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def walk(browser: Browser, running: RunningServer) -> Walk:
    """Opens each screen once, resizes it, and has axe look at it, at the least and the greatest width in turn.

    So it has both themes: two screens in the light one, then two in the dark one.
    """
    found = Walk({width: {} for width in WIDTHS})
    async with visiting(browser, running, installs=False) as visit:
        found.violations["signed out"] = await violations(visit.page)
        await visit.sign_in("employer.overview")
        async for path in screens(visit):
            number = len(found.violations)
            for width in WIDTHS if number % 2 else WIDTHS[::-1]:
                await visit.page.set_viewport_size({"width": width, "height": 780})
                await visit.page.wait_for_function("width => innerWidth === width", arg=width)
                found.overflowing[width][path] = await visit.page.evaluate(OVERFLOWING)
            found.violations[path] = await violations(visit.page)
            # Before the next screen is drawn: elements that are there change their colours over a moment.
            await visit.page.emulate_media(color_scheme="dark" if number // 2 % 2 else "light")
        assert visit.console_errors() == []
    return found


async def test_axe_finds_no_violation_on_any_screen(walk: Walk):
    assert walk.violations == {path: [] for path in ("signed out", *SCREENS)}


@pytest.mark.parametrize("width", WIDTHS)
async def test_no_element_overflows_the_screen(walk: Walk, width: int):
    assert walk.overflowing[width] == {path: [] for path in SCREENS}


@pytest.mark.long
async def test_text_at_200_percent_fits(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.overview")
    await visit.page.set_viewport_size({"width": 640, "height": 780})
    await visit.page.evaluate("document.documentElement.style.fontSize = '200%'")
    async for path in screens(visit):
        assert (path, await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")) == (path, 0)


@pytest.mark.long
async def test_dark_mode_has_another_background(running: RunningServer, open_app: Open):
    colours = []
    for dark in (False, True):
        visit = await open_app(running, "employer.manager", dark=dark)
        colours.append(await visit.page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert colours == ["rgb(245, 244, 239)", "rgb(17, 24, 25)"]


@pytest.mark.long
async def test_reduced_motion_disables_animations(running: RunningServer, open_app: Open):
    animation_count = "() => [...document.querySelectorAll('*')].filter(e => e.getAnimations().length).length"
    animation_name = "getComputedStyle(document.querySelector('.refresh .icon')).animationName"
    for motion, name in (("reduce", "none"), ("no-preference", "turn")):
        visit = await open_app(running, "employer.manager", reduced_motion=motion)
        await visit.is_settled()
        await visit.page.evaluate("document.querySelector('.refresh').classList.add('turning')")
        assert await visit.page.evaluate(animation_name) == name
        assert bool(await visit.page.evaluate(animation_count)) == (motion != "reduce")


@pytest.mark.long
async def test_every_action_works_with_the_keyboard(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running)
    page, keys = visit.page, visit.page.keyboard

    async def focused_text() -> str:
        return await page.evaluate(
            "(e => e === document.body ? '' : e.getAttribute('aria-label') ?? e.labels?.[0]?.innerText "
            "?? e.innerText)(document.activeElement)"
        )

    async def tab_to(text: str) -> None:
        for _ in range(60):
            await keys.press("Tab")
            if text in " ".join((await focused_text()).split()):
                # The focus is visible: on the element itself, or on the element that is styled for it.
                assert await page.evaluate(
                    """() => { const e = document.activeElement;
                        const outlined = element => element && getComputedStyle(element).outlineStyle !== 'none';
                        return outlined(e) || outlined(e.nextElementSibling) || outlined(e.closest('label'))
                            || getComputedStyle(e, '::after').outlineStyle !== 'none'; }"""
                ), text
                return
        raise AssertionError(f"Tab does not reach {text!r}; the last element was {await focused_text()!r}")

    await tab_to("Username")
    await keys.type("employer.manager")
    await tab_to("Password")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await expect(visit.heading("Overview")).to_be_focused()
    await tab_to("Learners")
    await keys.press("Enter")
    # The focus moves to a new screen's heading, so that screen readers start there.
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
    await keys.press("Enter")
    await expect(page.get_by_role("region", name="The document")).to_be_focused()
    await tab_to("I have read this document")
    await keys.press("Space")
    await tab_to("Your password")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await expect(page.locator("#announcement")).to_contain_text("You have signed")
    await expect(visit.heading("Documents to sign")).to_be_focused()
    await tab_to("Your account")
    await keys.press("Enter")
    await tab_to("Sign out")
    await keys.press("Enter")
    await expect(page.get_by_label("Username")).to_be_visible()


@pytest.mark.long
async def test_focus_scroll_position_and_open_details_survive_a_refresh(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.manager")
    page = visit.page
    await visit.go("learners/Learner_1", "Maya Thornton")
    await page.locator("summary").nth(1).click()
    await page.locator("summary").nth(2).focus()
    await page.evaluate("scrollTo(0, 300)")
    await page.evaluate("document.querySelector('.refresh').click()")
    await expect(page.locator("#announcement")).to_have_text("Up to date.")
    assert (
        await page.evaluate("[...document.querySelectorAll('details')].map(details => details.open).indexOf(true)") == 1
    )
    await expect(page.locator("summary").nth(2)).to_be_focused()
    assert await page.evaluate("scrollY") == 300


@pytest.mark.long
async def test_app_can_be_installed(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.manager", phone=True, installs=True)
    await visit.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    browser_tools = await visit.context.new_cdp_session(visit.page)
    manifest = await browser_tools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{running.address}/kpi/manifest.webmanifest"
    result = await browser_tools.send("Page.getInstallabilityErrors")
    # Playwright's contexts are private windows, where nothing can be installed: that is the only error.
    assert [error["errorId"] for error in result["installabilityErrors"]] in ([], ["in-incognito"])


@pytest.mark.long
async def test_all_requests_go_to_the_server_and_the_policy_is_strict(running: RunningServer, open_app: Open):
    visit = await open_app(running)
    sent = []
    visit.page.on("request", lambda request: sent.append(request.url))
    response = await visit.page.reload()
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    await visit.sign_in("employer.manager")
    async for _ in screens(visit):
        pass
    assert sent and all(url.startswith(running.address) for url in sent)
