"""GraphiQL over HTTP: which requests get the page, where its files come from, and that the endpoint works as before."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import httpx2
import pytest
from graphql import build_schema, parse, validate
from starlette.applications import Starlette

from schema.root import printed
from services.settings import read_settings
from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from transport.graphql.persisted_documents import PersistedDocuments
from transport.pages.graphiql import CDN, graphiql

FOLDER = ROOT / "graphiql"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
DOCUMENTS = PersistedDocuments.read(ROOT / "queries")


async def endpoint(scope, receive, send) -> None:
    """A fake GraphQL endpoint."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"the endpoint"})


def client(folder: Path) -> httpx2.AsyncClient:
    app = Starlette(routes=graphiql("/graphql", endpoint, folder, DOCUMENTS, is_demo=True))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://waymark.test")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A copy of the folder without installed packages."""
    return Path(shutil.copytree(FOLDER, tmp_path / "graphiql", ignore=shutil.ignore_patterns("node_modules")))


def install(folder: Path, **texts: str) -> None:
    """Writes files where npm installs them, and their digests to files.json."""
    digests = {}
    for name, text in texts.items():
        package, path = f"{name}@1.2.3", f"dist/{name}.min.js"
        file = folder / "node_modules" / name / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
        digests[f"{package}/{path}"] = "sha384-" + base64.b64encode(hashlib.sha384(text.encode()).digest()).decode()
    (folder / "files.json").write_text(json.dumps(digests))


@pytest.mark.parametrize("accept", [BROWSER["accept"], "text/html", "text/html, application/json;q=0.9"])
async def test_a_browser_gets_the_page(bare: Path, accept: str) -> None:
    async with client(bare) as browser:
        page = await browser.get("/graphql", headers={"accept": accept})
    assert page.status_code == 200 and 'id="graphiql"' in page.text
    assert page.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/json", "application/graphql-response+json", "text/event-stream",
     "application/json, text/html", "text/html;q=0.5, application/json", "text/html;q=0", "text/html;q=none"],
)  # fmt: skip
async def test_every_other_client_gets_the_endpoint(bare: Path, accept: str) -> None:
    async with client(bare) as browser:
        assert (await browser.get("/graphql", headers={"accept": accept})).text == "the endpoint"


async def test_a_post_never_gets_the_page(bare: Path) -> None:
    async with client(bare) as browser:
        assert (await browser.post("/graphql", headers=BROWSER)).text == "the endpoint"


async def test_without_installed_files_the_cdn_serves_them_with_their_digests(bare: Path) -> None:
    async with client(bare) as browser:
        page = await browser.get("/graphql", headers=BROWSER)
    outside = re.findall(r'<(?:link|script)[^>]*(?:href|src)="https?://[^>]*>', page.text)
    named = json.loads((bare / "files.json").read_text())
    assert len(outside) == len(named) == 4
    for element in outside:
        pattern = r'="(https://[^"]+)" integrity="([^"]+)" crossorigin="anonymous"'
        source, integrity = re.search(pattern, element).groups()
        assert named[source.removeprefix(CDN + "/")] == integrity
        # The policy allows this file only, and not everything on the host.
        assert source in page.headers["content-security-policy"]
    assert f"{CDN} " not in page.headers["content-security-policy"]


async def test_no_inline_script_runs(bare: Path) -> None:
    async with client(bare) as browser:
        page = await browser.get("/graphql", headers=BROWSER)
    policy = page.headers["content-security-policy"].split(";")
    scripts = dict(part.strip().split(" ", 1) for part in policy)["script-src"]
    assert "unsafe" not in scripts and "*" not in scripts
    assert re.findall(r"<script(?![^>]*\bsrc=)|\bon\w+=|javascript:", page.text) == []


async def test_installed_files_are_served_from_here(bare: Path) -> None:
    install(bare, one="first", two="second")
    async with client(bare) as browser:
        page = await browser.get("/graphql", headers=BROWSER)
        assert CDN not in page.text + page.headers["content-security-policy"]
        file = await browser.get("/graphiql/vendor/two@1.2.3/dist/two.min.js")
        assert file.text == "second" and "immutable" in file.headers["cache-control"]


@pytest.mark.parametrize("broken", ["changed", "missing"])
async def test_a_file_with_another_digest_is_never_served(bare: Path, broken: str) -> None:
    install(bare, one="first", two="second")
    file = bare / "node_modules/two/dist/two.min.js"
    file.write_text("another") if broken == "changed" else file.unlink()
    async with client(bare) as browser:
        assert CDN in (await browser.get("/graphql", headers=BROWSER)).text
        assert (await browser.get("/graphiql/vendor/two@1.2.3/dist/two.min.js")).status_code == 404


@pytest.mark.parametrize("name", ["package.json", "vendor/../package.json", "%2e%2e/server.py", "vendor/x"])
async def test_nothing_else_of_the_folder_is_served(bare: Path, name: str) -> None:
    async with client(bare) as browser:
        assert (await browser.get(f"/graphiql/{name}")).status_code == 404
        assert (await browser.get("/graphiql/page.js")).status_code == 200


async def test_the_samples_are_the_saved_operations(bare: Path) -> None:
    async with client(bare) as browser:
        response = (await browser.get("/graphiql/samples.json")).json()
    schema = build_schema(printed())
    assert validate(schema, parse(response["greeting"])) == []
    saved = {path.stem for path in (ROOT / "queries").glob("*.graphql")}
    assert {sample["name"] for sample in response["samples"]} == saved
    for sample in response["samples"]:
        assert sample["about"] and not sample["about"].startswith("#"), sample["name"]
        assert sample["query"] == (ROOT / f"queries/{sample['name']}.graphql").read_text()
    map_sample = next(sample for sample in response["samples"] if sample["name"] == "progress_map")
    assert map_sample["variables"] == {"learnerId": None, "filter": "ALL"}


def test_the_files_named_are_those_of_the_lock() -> None:
    locked = json.loads((FOLDER / "package-lock.json").read_text())["packages"]
    for name in json.loads((FOLDER / "files.json").read_text()):
        package, version = name.split("/")[0].rsplit("@", 1)
        assert locked[f"node_modules/{package}"]["version"] == version


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, True),
        ({"WAYMARK_GRAPHIQL": "off"}, False),
        ({"WAYMARK_DATABASE_URL": "sqlite:////tmp/x.db"}, False),
        ({"WAYMARK_DATABASE_URL": "sqlite:////tmp/x.db", "WAYMARK_GRAPHIQL": "on"}, True),
    ],
)
def test_it_is_on_for_the_demo_and_where_it_is_configured(
    tmp_path: Path, environment: dict[str, str], shown: bool
) -> None:
    keys = {"WAYMARK_SECRET_KEYS": "k:" + base64.b64encode(bytes(range(32))).decode()}
    settings = read_settings(
        {"WAYMARK_DATA": str(tmp_path), "WAYMARK_BASE_URL": "http://x.test", **keys, **environment}
    )
    assert settings.graphiql is shown


async def test_an_installation_has_no_graphiql_by_default(demo: Demo) -> None:
    async with demo.serving("sqlite") as running, running.anonymous() as stranger:
        answer = await stranger.http.get("/graphql", headers=BROWSER)
        assert answer.status_code == 403 and "graphi" not in answer.text.lower()
        assert (await stranger.http.get("/graphiql/page.js")).status_code == 404
        assert (await stranger.http.get("/")).headers["location"] == "/kpi"


async def test_with_graphiql_the_endpoint_works_as_before(demo: Demo) -> None:
    async with demo.serving("sqlite", WAYMARK_GRAPHIQL="on") as running, running.signed_in("assessor") as person:
        assert (await person.http.get("/")).headers["location"] == "/graphql"
        assert 'id="graphiql"' in (await person.http.get("/graphql", headers=BROWSER)).text
        assert (await person.data("{ viewer { role } }")) == {"viewer": {"role": "ASSESSOR"}}
        params = {"query": "{viewer{role}}"}
        headers = {"accept": "application/json", "apollo-require-preflight": "true"}
        answer = await person.http.get("/graphql", params=params, headers=headers)
        assert answer.json()["data"] == {"viewer": {"role": "ASSESSOR"}}
