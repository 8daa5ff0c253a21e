"""TanStack Query and graphql-request on a page of another origin, with the one setting that README.md names."""

import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copy

import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer
from tests.support.npm import installed_packages
from tests.system.browser.other_origin import opened, sign_in
from tests.system.clients.conftest import HERE

PAGE = HERE / "react_query"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, bundled."""
    bundler, folder = installed_packages(HERE) / "@esbuild", tmp_path_factory.mktemp("page")
    (program,) = bundler.glob("*/bin/esbuild")
    options = '--bundle --jsx=automatic --format=esm --log-level=warning --define:process.env.NODE_ENV="production"'
    subprocess.run([program, PAGE / "page.jsx", *options.split(), f"--outfile={folder}/page.js"], check=True)
    copy(PAGE / "index.html", folder)
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None: ...


@contextmanager
def pages(folder: Path) -> Iterator[int]:
    """Serves a folder and gives the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
async def served(demo: Demo, folder: Path) -> AsyncIterator[tuple[RunningServer, str]]:
    """A server that allows one origin, and the address of the page there."""
    with pages(folder) as port:
        async with demo.serving("sqlite", WAYMARK_ALLOWED_ORIGINS=f"http://127.0.0.1:{port}") as running:
            yield running, f"http://127.0.0.1:{port}/?server={running.address}"


def sent_from(page: Page) -> list[str]:
    """A list to which the names of the page's operations are added."""
    names: list[str] = []

    def record(request: Request) -> None:
        if request.method == "POST":
            names.append(request.post_data_json["operationName"])

    page.on("request", record)
    return names


@pytest.mark.long
async def test_a_query_is_invalidated_by_a_mutation(browser: Browser, served: tuple[RunningServer, str]) -> None:
    running, address = served
    async with opened(browser, "401") as context:
        page = await context.new_page()
        names = sent_from(page)
        await sign_in(page, address, "learner", "wrong")
        await expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
        await sign_in(page, address, "learner")
        async with running.signed_in("learner") as ada:
            before = await minutes(ada)
            await expect(page.get_by_role("status")).to_have_text(f"{before} minutes")
            names.clear()
            await page.get_by_role("button", name="Log 30 minutes of next week").click()
            # The answer of a mutation that the server refuses is no error of the transport.
            await expect(page.get_by_role("alert")).to_contain_text("DAY_IN_FUTURE")
            await page.get_by_role("button", name="Log 30 minutes of yesterday").click()
            await expect(page.get_by_role("status")).to_have_text(f"{before + 30} minutes")
            await expect(page.get_by_role("listitem").first).to_have_text("Wheel bearings.")
            assert names == ["PageLogTime", "PageLogTime", "PageTime"]
            assert await minutes(ada) == before + 30
        # A session that has ended: the page reads the code, and begins again.
        await page.evaluate("sessionStorage.setItem('token', 'expired')")
        await page.reload()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def minutes(ada: HttpClient) -> int:
    answer = await ada.data("{ viewer { learner { offTheJob { actualMinutes } } } }")
    return answer["viewer"]["learner"]["offTheJob"]["actualMinutes"]


@pytest.mark.long
async def test_a_page_of_no_allowed_origin_reads_nothing(browser: Browser, served: tuple[RunningServer, str]) -> None:
    async with opened(browser, "") as context:
        page = await context.new_page()
        # The same page by another name, which is another origin.
        await sign_in(page, served[1].replace("127.0.0.1", "localhost", 1), "learner")
        await expect(page.get_by_role("alert")).to_have_text("The server cannot be reached.")
