"""Pages of another origin in a browser: a context of their own, and their sign-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, Page

from tests.support.http_server import PASSWORD


async def sign_in(page: Page, address: str, username: str, password: str = PASSWORD) -> None:
    """Opens a page and sends its form."""
    await page.goto(address)
    await page.get_by_label("Username").fill(username)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


@asynccontextmanager
async def opened(browser: Browser, expected: str = "nothing") -> AsyncIterator[BrowserContext]:
    """A context of its own; errors in the console fail the test, unless they have the `expected` words."""
    context, problems = await browser.new_context(), list[str]()
    context.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
    context.on("weberror", lambda problem: problems.append(str(problem.error)))
    yield context
    await context.close()
    assert [each for each in problems if expected not in each] == []
