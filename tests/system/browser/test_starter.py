"""The starter of examples/ in a real browser, from another origin: as a developer runs it, and as it is published."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, Request, expect
from sqlalchemy import make_url

from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer
from tests.support.npm import installed_packages
from tests.support.own_process import run_here
from tests.system.browser.other_origin import opened, sign_in

EXAMPLE = ROOT / "examples/learner-progress"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the starter with its packages, beside the schema as in the repository."""
    node_modules = installed_packages(EXAMPLE)
    copy = tmp_path_factory.mktemp("repository") / "examples/learner-progress"
    ignored = shutil.ignore_patterns("node_modules", "node_modules.lock", "gql", "dist")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    (copy / "node_modules").symlink_to(node_modules, target_is_directory=True)
    (copy.parents[1] / "schema").mkdir()
    shutil.copy(ROOT / "schema/schema.graphql", copy.parents[1] / "schema")
    return copy


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def npm(project: Path, *words: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "npm", "run", *words, cwd=project, env={**os.environ, "NO_COLOR": "1", **environment},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip


@asynccontextmanager
async def pages(project: Path, script: str, port: int, **environment: str) -> AsyncIterator[str]:
    """Runs a server of the starter's pages, and gives its address once it answers."""
    process, origin = await npm(project, script, "--", "--port", str(port), **environment), f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(100), httpx2.AsyncClient() as http:
            while True:
                assert process.returncode is None, (await process.communicate())[0].decode()
                try:
                    if (await http.get(origin)).status_code == 200:
                        break
                except httpx2.TransportError:
                    await asyncio.sleep(0.1)
        yield origin
    finally:
        if process.returncode is None:
            os.killpg(process.pid, 15)
            await process.communicate()


@pytest.mark.long
async def test_a_developer_sees_learners(browser: Browser, demo: Demo, project: Path) -> None:
    port = free_port()
    async with demo.serving("sqlite", WAYMARK_ALLOWED_ORIGINS=f"http://127.0.0.1:{port}") as running:
        async with pages(project, "dev", port, VITE_WAYMARK=running.address) as origin, opened(browser) as context:
            page = await context.new_page()
            await sign_in(page, origin, "assessor", "wrong")
            await expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
            await sign_in(page, origin, "employer.overview")
            await expect(page.get_by_role("status")).to_contain_text("20 of ")
            await page.get_by_role("button", name="More").click()
            await expect(page.get_by_role("listitem")).not_to_have_count(20)
            await expect(page.get_by_role("listitem").first).to_contain_text("off track")


@pytest.mark.long
async def test_the_published_pages_run_where_only_trusted_documents_do(
    browser: Browser, demo: Demo, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest of codegen's client preset is registered, and two tabs renew one session."""
    port = free_port()
    settings = {"WAYMARK_ALLOWED_ORIGINS": f"http://127.0.0.1:{port}", "WAYMARK_OPERATIONS": "trusted"}
    async with demo.serving("sqlite", **settings) as running:
        built = await npm(project, "build", VITE_WAYMARK=running.address, VITE_DOCUMENTS="trusted")
        output = (await built.communicate())[0].decode()
        assert built.returncode == 0, output
        await register(running, project / "src/gql/persisted-documents.json", monkeypatch)
        async with pages(project, "preview", port) as origin, opened(browser, "401") as context:
            await renew_in_two_tabs(context, origin)


async def register(running: RunningServer, manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = running.server.services.database
    monkeypatch.setenv("WAYMARK_DATABASE_URL", f"sqlite:///{make_url(database.url).database}")
    monkeypatch.setenv("WAYMARK_BASE_URL", running.address)
    monkeypatch.setenv("WAYMARK_SECRET_KEYS", "test:" + "bXkga2V5IGlzIG5vdCBzaG9ydCwgYW5kIGl0IGlzIG5vdCB5b3Vycw==")
    named = ("--client", "learner-progress", "--client-version", "0.1.0")
    assert len(json.loads(manifest.read_text())) == 4
    assert await asyncio.to_thread(run_here, "operations", "add", str(manifest), *named) == 0


async def renew_in_two_tabs(context: BrowserContext, origin: str) -> None:
    sent: list[dict[str, object]] = []

    def record(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.post_data_json)

    context.on("request", record)
    first, second = await context.new_page(), await context.new_page()
    await sign_in(first, origin, "assessor")
    await expect(first.get_by_role("status")).to_contain_text(" of ")
    await second.goto(origin)
    await expect(second.get_by_role("status")).to_contain_text(" of ")
    assert all(set(body) == {"documentId", "variables"} for body in sent)
    # As if the access token had expired: whichever tab comes first renews the session, and the other uses its result.
    expire = """() => {
        const session = JSON.parse(localStorage.getItem("waymark-session"));
        localStorage.setItem("waymark-session", JSON.stringify({ ...session, accessToken: "expired" }));
    }"""
    await first.evaluate(expire)
    sent.clear()
    await asyncio.gather(first.reload(), second.reload())
    for page in (first, second):
        await expect(page.get_by_role("status")).to_contain_text(" of ")
    assert sum("refreshToken" in body["variables"] for body in sent) == 1
    await first.get_by_role("button", name="Sign out").click()
    for page in (first, second):
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
