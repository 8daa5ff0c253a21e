"""Without a connection the app opens with the last answers and says how old they are; a newer one replaces it whole."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import expect
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.support.architecture import ROOT
from tests.support.http_server import Running
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit
from transport.pages.static_app import static_app

NO_CONNECTION = "ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to update a ServiceWorker"


async def installed(visit: Visit) -> None:
    """Waits until the service worker has the app's files."""
    await visit.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    await visit.page.wait_for_function("navigator.serviceWorker.controller !== null")


async def test_the_last_answers_stand_without_a_connection(running: Running, open_app: Open):
    visit = await open_app(running, "employer.overview", phone=True)
    visit.expected = NO_CONNECTION
    page = visit.page
    await installed(visit)
    await visit.go("learners", "Learners")
    await visit.go("learners/Learner_1", "Maya Thornton")
    await expect(page.locator("details").first).to_be_visible()
    await visit.go("", "At a glance")
    await visit.is_settled()
    numbers = await visit.texts("main strong, main .amount, main time")

    await visit.context.set_offline(True)
    await expect(page.locator(".freshness")).to_contain_text("Offline. Last answer from")
    await page.reload()
    await expect(visit.heading("At a glance")).to_be_visible()
    assert await visit.texts("main strong, main .amount, main time") == numbers
    await expect(page.locator(".freshness p")).to_contain_text("just now")
    # A day and two hours later it says so.
    await page.evaluate("Date.now = (now => () => now() + 26 * 3600e3)(Date.now)")
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.locator("#said")).to_have_text("You are offline. This is the last answer.")
    await expect(page.locator(".freshness p")).to_contain_text("26 hours ago")

    # Filters work on what is there, and each learner that was opened can be opened.
    await visit.go("learners?show=OFF_TRACK", "Learners")
    shown = await page.locator(".person").count()
    assert 0 < shown < int(numbers[0])
    await visit.go("learners/Learner_1", "Maya Thornton")
    await expect(page.locator("details").first).to_be_visible()
    await visit.go("learners/Learner_2")
    await expect(page.get_by_text("This learner has not been opened on this device yet.")).to_be_visible()

    await visit.context.set_offline(False)
    await expect(visit.heading()).not_to_have_text("Learner")
    await visit.is_live()


async def test_signing_in_without_a_connection_says_what_is_missing(running: Running, open_app: Open):
    visit = await open_app(running)
    visit.expected = NO_CONNECTION
    await installed(visit)
    await visit.context.set_offline(True)
    await visit.page.reload()
    await visit.fill_in("employer.manager")
    await expect(visit.page.get_by_role("alert")).to_have_text(
        "There is no connection. You can sign in once you are online."
    )


async def test_one_persons_answers_are_not_shown_to_the_next(running: Running, open_app: Open):
    visit = await open_app(running, "employer.overview")
    visit.expected = NO_CONNECTION
    await visit.is_settled()
    before = await visit.kept("answers")
    await visit.page.get_by_role("link", name="Your account").click()
    await visit.page.get_by_role("button", name="Sign out").click()
    await visit.sign_in("employer.manager")
    await visit.is_settled()
    after = await visit.kept("answers")
    assert before and after
    assert not {key.split()[0] for key in before} & {key.split()[0] for key in after}


def client_of(folder: Path) -> TestClient:
    return TestClient(Starlette(routes=static_app("/kpi", folder)), base_url="http://127.0.0.1")


def test_the_worker_is_told_every_file_and_changes_with_any_of_them(tmp_path: Path):
    folder = tmp_path / "web"
    shutil.copytree(ROOT / "web", folder)
    first = client_of(folder).get("/kpi/sw.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "no-cache"
    assert client_of(folder).get("/kpi/sw.js").text == first.text
    head = first.text.splitlines()[0]
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "sw.js":
            assert f'"{file.relative_to(folder).as_posix()}"' in head
            assert client_of(folder).get(f"/kpi/{file.relative_to(folder)}").status_code == 200
    (folder / "js" / "words.js").write_text((folder / "js" / "words.js").read_text() + "\n// more\n")
    assert client_of(folder).get("/kpi/sw.js").text.splitlines()[0] != head


@pytest.mark.parametrize("path", ["/kpi/nothing.js", "/kpi/../server.py", "/kpi/%2e%2e/server.py", "/kpi/js/"])
def test_nothing_else_is_served(path: str):
    assert client_of(ROOT / "web").get(path).status_code == 404


async def test_a_newer_version_is_offered_and_taken_whole(own_running: Running, open_app: Open, tmp_path: Path):
    visit = await open_app(own_running, "employer.overview")
    await installed(visit)
    (before,) = await visit.page.evaluate("caches.keys()")
    # The server is started again, as it were, with another version of one file.
    folder = tmp_path / "web"
    shutil.copytree(ROOT / "web", folder)
    words = (folder / "js" / "words.js").read_text()
    (folder / "js" / "words.js").write_text(words.replace('word: "Off track"', 'word: "Behind"'))
    routes = own_running.server.app._app.router.routes
    routes[:] = [*(route for route in routes if "/kpi" not in getattr(route, "path", "")), *static_app("/kpi", folder)]
    await visit.page.evaluate("navigator.serviceWorker.getRegistration().then(one => { one.update(); })")
    async with visit.page.expect_event("load"):
        await visit.page.get_by_role("button", name="Use it now").click()
    await expect(visit.heading("At a glance")).to_be_visible()
    assert await visit.texts(".lights .word") == ["Behind", "On track", "Ahead", "Not rated"]
    (after,) = await visit.page.evaluate("caches.keys()")
    assert after != before
