"""GraphiQL in a real browser: sign-in, samples, subscriptions, token refresh, no request to another host."""

import json
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, RunningServer

INSTALLED = ROOT / "graphiql/node_modules/graphiql/graphiql.min.js"
# The error of the operation, or that of the schema, which only the demo shows without sign-in.
NOT_SIGNED_IN = re.compile("UNAUTHENTICATED|Sign in to see the reason")
SET_TOLERANCE = "mutation { providerSettingsUpdate(input: { trafficLightTolerance: 60 }) { errors { message } } }"

pytestmark = pytest.mark.skipif(
    not INSTALLED.exists(),
    reason="GraphiQL's files are not installed (scripts/setup installs them)",
)


@pytest.fixture(scope="module")
async def graphiql_server(browser: Browser, demo: Demo) -> AsyncIterator[RunningServer]:
    async with demo.serving("sqlite", WAYMARK_GRAPHIQL="on") as served:
        yield served


@pytest.fixture
async def page(browser: Browser, graphiql_server: RunningServer) -> AsyncIterator[Page]:
    """The open page. Console errors and requests to other hosts fail the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))

    def record_foreign_request(request: Request) -> None:
        if not request.url.startswith(("data:", "blob:", graphiql_server.address)):
            problems.append(request.url)

    page.on("request", record_foreign_request)
    await page.goto(f"{graphiql_server.address}/graphql")
    await expect(page.locator(".graphiql-container")).to_be_visible(timeout=30_000)
    yield page
    await context.close()
    assert problems == []


async def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Signs in, and waits for the user's name, or for an error message if the password is wrong."""
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#user" if password == PASSWORD else "#message")).not_to_be_empty()
    await expect(page.locator("#user")).to_be_visible(visible=password == PASSWORD)


async def open_sample(page: Page, name: str, operation: str) -> None:
    """Opens a sample and waits until GraphiQL has parsed it: its tab then has the operation's name."""
    await page.get_by_role("button", name="Show Sample operations").click()
    await page.get_by_role("button", name=name, exact=True).click()
    await expect(page.get_by_role("tab", name=operation)).to_be_visible()


async def run(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("Execute query")).click()


def result(page: Page) -> object:
    return page.locator(".result-window")


async def test_sign_in_run_and_sign_out(page: Page) -> None:
    await run(page)
    await expect(result(page)).to_contain_text(NOT_SIGNED_IN)
    await sign_in(page, "assessor", "not-the-password")
    await sign_in(page, "assessor")
    await expect(page.locator("#user")).to_contain_text("ASSESSOR")
    assert await page.get_by_label("Password").input_value() == ""
    await run(page)
    await expect(result(page)).to_contain_text('"role": "ASSESSOR"')
    await page.get_by_role("button", name="Sign out").click()
    await run(page)
    await expect(result(page)).to_contain_text(NOT_SIGNED_IN)


@pytest.mark.long
async def test_sample_opens_with_its_variables_and_runs(page: Page) -> None:
    await sign_in(page, "employer.overview")
    await open_sample(page, "employer_dashboard", "EmployerDashboard")
    await page.get_by_role("button", name="Variables").click()
    await expect(page.get_by_label("Variables")).to_contain_text('"first": 50')
    await run(page)
    await expect(result(page)).to_contain_text('"totalCount"')


@pytest.mark.long
async def test_subscription_runs_until_it_is_stopped(page: Page, graphiql_server: RunningServer) -> None:
    await sign_in(page, "assessor")
    await open_sample(page, "kpis_live", "KpisLive")
    await run(page)
    await expect(result(page)).to_contain_text('"generatedAt"')
    first = await result(page).inner_text()
    async with graphiql_server.signed_in("master.admin") as admin:
        await admin.data(SET_TOLERANCE)
    await expect(result(page)).not_to_have_text(first)
    assert graphiql_server.server.endpoint.open_streams == 1
    await page.get_by_role("button", name=re.compile("Stop query")).click()
    await expect(page.get_by_role("button", name=re.compile("Execute query"))).to_be_visible()
    async with graphiql_server.anonymous() as stranger:
        for _ in range(100):
            if graphiql_server.server.endpoint.open_streams == 0:
                return
            await stranger.http.get("/health")
    raise AssertionError("the event stream is still open")


@pytest.mark.long
async def test_tokens_are_refreshed_once_before_they_expire(page: Page) -> None:
    await sign_in(page, "assessor")
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or ""))
    # Two operations at the same time after 15 minutes: one refresh is enough for both.
    later = "const now = Date.now; Date.now = () => now() + 15 * 60 * 1000"
    results = await page.evaluate(
        f"""async () => {{ {later};
        const ask = async () => (await tokens.send({{ query: "{{ viewer {{ role }} }}" }})).json();
        const both = await Promise.all([ask(), ask()]); Date.now = now; return [...both, await ask()] }}"""
    )
    assert [result["data"] for result in results] == [{"viewer": {"role": "ASSESSOR"}}] * 3
    assert sum("tokenRefresh" in body for body in bodies) == 1


@pytest.mark.long
async def test_nothing_is_stored_in_the_browser(page: Page) -> None:
    await sign_in(page, "assessor")
    await run(page)
    await expect(result(page)).to_contain_text('"role": "ASSESSOR"')
    stored = await page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert json.loads(stored) == [{}, {}, ""]
