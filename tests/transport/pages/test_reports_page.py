"""The page of reports over HTTP: who gets the page, who the list, and where the chart library comes from."""

import json
import shutil
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.support.architecture import ROOT
from tests.transport.pages.test_graphiql import BROWSER, install
from transport.pages.reports_page import reports_page

FOLDER = ROOT / "reports"


async def index(_: Request) -> Response:
    """Stands for the list of reports."""
    return PlainTextResponse("the list")


def client(folder: Path) -> httpx2.AsyncClient:
    app = Starlette(routes=reports_page(folder, index))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://waymark.test")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A copy of the folder without installed packages."""
    return Path(shutil.copytree(FOLDER, tmp_path / "reports", ignore=shutil.ignore_patterns("node_modules")))


async def test_a_browser_gets_the_page_and_a_program_the_list(bare: Path):
    async with client(bare) as http:
        sent = await http.get("/reports", headers=BROWSER)
        assert (sent.status_code, sent.headers["location"]) == (307, "/reports/")
        page = await http.get("/reports/")
        assert 'src="/reports/js/app.js"' in page.text
        for accept in ("*/*", "application/json", "text/csv"):
            assert (await http.get("/reports", headers={"accept": accept})).text == "the list"
        for path in ("js/app.js", "style/page.css"):
            assert (await http.get(f"/reports/{path}")).headers["cache-control"] == "no-cache"


async def test_without_the_library_the_page_loads_no_script_of_another_host(bare: Path):
    async with client(bare) as http:
        page = (await http.get("/reports/")).text
        assert "://" not in page and "vendor" not in page and "{files}" not in page
        assert (await http.get("/reports/vendor/d3@7.9.0/dist/d3.min.js")).status_code == 404


async def test_the_installed_library_is_served_with_its_digest(bare: Path):
    install(bare, one="first")
    async with client(bare) as http:
        page = (await http.get("/reports/")).text
        (digest,) = json.loads((bare / "files.json").read_text()).values()
        assert f'src="/reports/vendor/one@1.2.3/dist/one.min.js" integrity="{digest}"' in page
        assert (await http.get("/reports/vendor/one@1.2.3/dist/one.min.js")).text == "first"


@pytest.mark.parametrize("name", ["package.json", "files.json", "index.html", "js/../package.json", "node_modules/x"])
async def test_nothing_else_of_the_folder_is_served(bare: Path, name: str):
    async with client(bare) as http:
        assert (await http.get(f"/reports/{name}")).status_code == 404


def test_the_files_named_are_those_of_the_lock():
    locked = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
    for name in json.loads((FOLDER / "files.json").read_text()):
        package, _, version = name.rpartition("@")[0], "", name.rpartition("@")[2].split("/")[0]
        assert locked[f"node_modules/{package}"]["version"] == version
