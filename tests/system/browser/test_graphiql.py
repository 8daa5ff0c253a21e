"""GraphiQL in a real browser: signing in, samples, streams, tokens that run out; and nothing from elsewhere."""

import json
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, Running

INSTALLED = ROOT / "graphiql/node_modules/graphiql/graphiql.min.js"
# The operation's own answer, or that of the schema, which strangers are shown in the demo only.
STRANGER = re.compile("UNAUTHENTICATED|Sign in to see the reason")
WIDER = "mutation { providerSettingsUpdate(input: { trafficLightTolerance: 60 }) { errors { message } } }"

pytestmark = pytest.mark.skipif(
    not INSTALLED.exists(), reason="GraphiQL's files are not installed (scripts/setup does, where npm is there)"
)


@pytest.fixture(scope="module")
async def graph(browser: Browser, demo: Demo) -> AsyncIterator[Running]:
    async with demo.serving("sqlite", WAYMARK_GRAPHIQL="on") as served:
        yield served


@pytest.fixture
async def page(browser: Browser, graph: Running) -> AsyncIterator[Page]:
    """The page, open. Whatever it complained of, or asked of another host, is a failure."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: said.type in ("error", "warning") and faults.append(said.text))
    opened.on("request", lambda asked: re.match(r"data:|blob:", asked.url) or asked.url.startswith(graph.address)
              or faults.append(asked.url))  # fmt: skip
    await opened.goto(f"{graph.address}/graphql")
    await expect(opened.locator(".graphiql-container")).to_be_visible(timeout=30_000)
    yield opened
    await context.close()
    assert faults == []


async def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Signs in; with a password that is not theirs nothing comes of it but a word why."""
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#who" if password == PASSWORD else "#say")).not_to_be_empty()
    await expect(page.locator("#who")).to_be_visible(visible=password == PASSWORD)


async def open_sample(page: Page, name: str, operation: str) -> None:
    """Opens a sample; GraphiQL has read it once its tab has the operation's name."""
    await page.get_by_role("button", name="Show Sample operations").click()
    await page.get_by_role("button", name=name, exact=True).click()
    await expect(page.get_by_role("tab", name=operation)).to_be_visible()


async def run(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("Execute query")).click()


def result(page: Page) -> object:
    return page.locator(".result-window")


async def test_signing_in_running_and_signing_out(page: Page) -> None:
    await run(page)
    await expect(result(page)).to_contain_text(STRANGER)
    await sign_in(page, "assessor", "not-the-password")
    await sign_in(page, "assessor")
    await expect(page.locator("#who")).to_contain_text("ASSESSOR")
    assert await page.get_by_label("Password").input_value() == ""
    await run(page)
    await expect(result(page)).to_contain_text('"role": "ASSESSOR"')
    await page.get_by_role("button", name="Sign out").click()
    await run(page)
    await expect(result(page)).to_contain_text(STRANGER)


async def test_a_sample_opens_with_its_variables_and_runs(page: Page) -> None:
    await sign_in(page, "employer.overview")
    await open_sample(page, "employer_dashboard", "EmployerDashboard")
    await page.get_by_role("button", name="Variables").click()
    await expect(page.get_by_label("Variables")).to_contain_text('"first": 50')
    await run(page)
    await expect(result(page)).to_contain_text('"totalCount"')


async def test_a_subscription_goes_on_until_it_is_stopped(page: Page, graph: Running) -> None:
    await sign_in(page, "assessor")
    await open_sample(page, "kpis_live", "KpisLive")
    await run(page)
    await expect(result(page)).to_contain_text('"generatedAt"')
    first = await result(page).inner_text()
    async with graph.person("master.admin") as admin:
        await admin.data(WIDER)
    await expect(result(page)).not_to_have_text(first)
    assert graph.server.endpoint.open_streams == 1
    await page.get_by_role("button", name=re.compile("Stop query")).click()
    await expect(page.get_by_role("button", name=re.compile("Execute query"))).to_be_visible()
    async with graph.stranger() as stranger:
        for _ in range(100):
            if graph.server.endpoint.open_streams == 0:
                return
            await stranger.client.get("/health")
    raise AssertionError("the stream is still open")


async def test_tokens_are_renewed_once_before_they_end(page: Page) -> None:
    await sign_in(page, "assessor")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    # A quarter of an hour later: two operations at once, for which one refresh is enough.
    later = "const now = Date.now; Date.now = () => now() + 15 * 60 * 1000"
    answers = await page.evaluate(
        f"""async () => {{ {later};
        const ask = async () => (await tokens.send({{ query: "{{ viewer {{ role }} }}" }})).json();
        const both = await Promise.all([ask(), ask()]); Date.now = now; return [...both, await ask()] }}"""
    )
    assert [answer["data"] for answer in answers] == [{"viewer": {"role": "ASSESSOR"}}] * 3
    assert sum("tokenRefresh" in body for body in asked) == 1


async def test_nothing_is_left_behind(page: Page) -> None:
    await sign_in(page, "assessor")
    await run(page)
    await expect(result(page)).to_contain_text('"role": "ASSESSOR"')
    kept = await page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert json.loads(kept) == [{}, {}, ""]
