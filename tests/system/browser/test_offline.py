"""Offline: the app opens with the last data and shows its age. A new version replaces the old one completely."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import expect
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.support.architecture import ROOT
from tests.support.http_server import RunningServer
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit
from transport.pages.static_app import static_app

NO_CONNECTION = "ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to update a ServiceWorker"


async def installed(visit: Visit) -> None:
    """Waits until the service worker has the app's files."""
    await visit.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    await visit.page.wait_for_function("navigator.serviceWorker.controller !== null")


@pytest.mark.long
async def test_last_data_is_shown_offline(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.overview", phone=True)
    visit.expected = NO_CONNECTION
    page = visit.page
    await installed(visit)
    await visit.go("learners", "Learners")
    await visit.go("learners/Learner_1", "Maya Thornton")
    await expect(page.locator("details").first).to_be_visible()
    await visit.go("", "Overview")
    await visit.is_settled()
    tiles = await visit.texts(".tile strong")
    figures = await visit.texts(".tile strong, main .amount, main time, .needs .row")

    await visit.context.set_offline(True)
    await expect(page.locator(".freshness")).to_contain_text("Offline. Last updated")
    await page.reload()
    await expect(visit.heading("Overview")).to_be_visible()
    assert await visit.texts(".tile strong, main .amount, main time, .needs .row") == figures
    await expect(page.locator(".freshness p")).to_contain_text("just now")
    # 26 hours later the app shows that age.
    await page.evaluate("Date.now = (now => () => now() + 26 * 3600e3)(Date.now)")
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.locator("#announcement")).to_have_text("You are offline. You see the last figures.")
    await expect(page.locator(".freshness p")).to_contain_text("26 hours ago")

    # Filters work offline, and so does the screen of a learner that was loaded before.
    await visit.go("learners?show=OFF_TRACK", "Learners")
    shown = await page.locator(".person").count()
    assert 0 < shown < int(tiles[0])
    await visit.go("learners/Learner_1", "Maya Thornton")
    await expect(page.locator("details").first).to_be_visible()
    # Of a learner whose own screen was never loaded, the list has the name, the next visit and the aims.
    await visit.go("learners")
    await page.get_by_label("Sort by").select_option(label="Name")
    other = next(name for name in await visit.texts(".person h2") if name != "Maya Thornton")
    await page.get_by_role("link", name=other).click()
    await expect(visit.heading(other)).to_be_visible()
    await expect(page.locator(".aim-card .amount").first).to_be_visible()
    await expect(page.get_by_text("The progress map has not been loaded yet.").first).to_be_visible()

    await visit.context.set_offline(False)
    await visit.is_live()
    await expect(page.locator("details").first).to_be_visible()


@pytest.mark.long
async def test_sign_in_offline_shows_an_error(running: RunningServer, open_app: Open):
    visit = await open_app(running)
    visit.expected = NO_CONNECTION
    await installed(visit)
    await visit.context.set_offline(True)
    await visit.page.reload()
    await visit.fill_in("employer.manager")
    await expect(visit.page.get_by_role("alert")).to_have_text(
        "There is no connection. You can sign in when you are online."
    )


@pytest.mark.long
async def test_stored_data_is_deleted_when_another_user_signs_in(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.overview")
    visit.expected = NO_CONNECTION
    await visit.is_settled()
    before = await visit.stored("answers")
    await visit.page.get_by_role("link", name="Your account").click()
    await visit.page.get_by_role("button", name="Sign out").click()
    await visit.sign_in("employer.manager")
    await visit.is_settled()
    after = await visit.stored("answers")
    assert before and after
    assert not {key.split()[0] for key in before} & {key.split()[0] for key in after}


def client_of(folder: Path) -> TestClient:
    return TestClient(Starlette(routes=static_app("/kpi", folder)), base_url="http://127.0.0.1")


def test_service_worker_lists_every_file_and_changes_with_each(tmp_path: Path):
    folder = tmp_path / "web"
    shutil.copytree(ROOT / "web", folder)
    first = client_of(folder).get("/kpi/sw.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "no-cache"
    assert client_of(folder).get("/kpi/sw.js").text == first.text
    first_line = first.text.splitlines()[0]
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "sw.js":
            assert f'"{file.relative_to(folder).as_posix()}"' in first_line
            assert client_of(folder).get(f"/kpi/{file.relative_to(folder)}").status_code == 200
    (folder / "js" / "format.js").write_text((folder / "js" / "format.js").read_text() + "\n// more\n")
    assert client_of(folder).get("/kpi/sw.js").text.splitlines()[0] != first_line


@pytest.mark.parametrize("path", ["/kpi/nothing.js", "/kpi/../server.py", "/kpi/%2e%2e/server.py", "/kpi/js/"])
def test_other_paths_are_not_served(path: str):
    assert client_of(ROOT / "web").get(path).status_code == 404


@pytest.mark.long
async def test_new_version_is_offered_and_replaces_the_old_one(
    own_running: RunningServer, open_app: Open, tmp_path: Path
):
    visit = await open_app(own_running, "employer.overview")
    await installed(visit)
    (before,) = await visit.page.evaluate("caches.keys()")
    # In place of a restart with another version, the routes are replaced by those of a changed folder.
    folder = tmp_path / "web"
    shutil.copytree(ROOT / "web", folder)
    source = (folder / "js" / "format.js").read_text()
    (folder / "js" / "format.js").write_text(source.replace('label: "Off track"', 'label: "Behind"'))
    routes = own_running.server.app._trusting.app._app.router.routes
    routes[:] = [*(route for route in routes if "/kpi" not in getattr(route, "path", "")), *static_app("/kpi", folder)]
    await visit.page.evaluate(
        "navigator.serviceWorker.getRegistration().then(registration => { registration.update(); })"
    )
    # A browser that has just started may leave the look for a new version for three minutes.
    async with visit.page.expect_event("load", timeout=300_000):
        await visit.page.get_by_role("button", name="Use it now").click(timeout=300_000)
    await expect(visit.heading("Overview")).to_be_visible()
    assert await visit.texts(".lights .label") == ["Behind", "On track", "Ahead", "Not rated"]
    (after,) = await visit.page.evaluate("caches.keys()")
    assert after != before
