"""The suites that outsiders wrote, run against a real server where they are beside the repository: full marks."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from schema.root import printed
from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.support.http_server import Running
from tests.system.clients.conftest import Run

# Beside the repository where it is developed; elsewhere the setting names them, or there are none.
SUITES = Path(os.environ.get("WAYMARK_SUITES", ROOT.parent / "shared" / "suites"))

pytestmark = pytest.mark.skipif(not SUITES.is_dir(), reason="the outside suites are not beside this clone")

TOLERANCE = (
    "mutation($n: Float!) { providerSettingsUpdate(input: { trafficLightTolerance: $n }) { errors { message } } }"
)

# Objects without an id, on purpose: nothing can be asked for by one. They are values of the record that they hang on,
# there is one of them, or their name is another field (a guide's slug). An id made up for them would make a client's
# cache keep two states of a record side by side.
VALUES = [
    "Cv", "CvDocument", "CvSection", "Download", "EvidenceMapping", "EvidenceSignature", "EvidenceVersion",
    "FileUpload", "Guide", "HttpHeader", "Kpis", "OffTheJob", "PageInfo", "Progress", "ProviderSettings", "RoleGrant",
    "SignatureSlot", "TimeLogDay", "UnitFunnel", "UnitProgress", "UnitSignature", "UserError", "Viewer",
]  # fmt: skip
WRAPPERS = ["Connection", "Edge", "Payload"]
RULES = {
    "strict-id-in-types": {"exceptions": {"types": VALUES, "suffixes": WRAPPERS}},
    # A list that is short by nature is a list; connections also give `nodes`, for those who need no cursors.
    "relay-edge-types": {"listTypeCanWrapOnlyEdgeType": False},
    # Lists are walked forwards, in both directions by their order.
    "relay-arguments": {"includeBoth": False},
}


@pytest.fixture(scope="module")
async def running(demo: Demo) -> AsyncIterator[Running]:
    async with demo.serving("sqlite") as served:
        yield served


async def suite(run: Run, name: str, running: Running | None, **environment: str) -> str:
    """Runs one suite, signed in as an assessor; gives its last line, which has the marks."""
    target = {}
    if running is not None:
        async with running.person("assessor") as person:
            target = {"GRAPHQL_URL": f"{running.address}/graphql", "TOKEN": person.tokens["accessToken"]}
    try:
        lines = await run("bash", SUITES / name, **target, **environment)
    except pytest.fail.Exception as failed:
        if str(failed).endswith("install failed\n"):
            pytest.skip("npm cannot install the packages of the outside suites, so they are not run")
        raise
    return lines.strip().splitlines()[-1]


@asynccontextmanager
async def numbers_change(running: Running) -> AsyncIterator[None]:
    """While the block lasts, KPIs change a few times a second."""

    async def change() -> None:
        async with running.person("master.admin") as admin:
            while True:
                for tolerance in (60, 1):
                    await admin.data(TOLERANCE, n=tolerance)
                    await asyncio.sleep(0.25)

    changing = asyncio.create_task(change())
    try:
        yield
    finally:
        changing.cancel()


async def test_graphql_over_http(run: Run, running: Running) -> None:
    # The MAYs that are missing are GETs that another site's page could send, without a header that it could not.
    marks = await suite(run, "graphql_http_audit.sh", running)
    assert marks == "graphql-http audits: 13/13 MUST, 23/23 SHOULD, 22/25 MAY"


async def test_real_clients(run: Run, running: Running) -> None:
    assert await suite(run, "real_clients.sh", running) == "real clients: 10/10"


async def test_sockets_and_event_streams(run: Run, running: Running) -> None:
    async with numbers_change(running):
        asked = {"SUBSCRIPTION": "subscription{kpisChanged(take:3){generatedAt}}"}
        asked["SUBSCRIPTION_LONG"] = "subscription{kpisChanged{generatedAt}}"
        marks = await suite(run, "ws_sse_protocol.sh", running, **asked)
    assert marks == "ws/sse protocol: 31/31"


async def test_the_schema_by_outside_rules_and_by_those_of_relay(run: Run, tmp_path: Path) -> None:
    (tmp_path / "schema.graphql").write_text(printed())
    rules = json.dumps({f"@graphql-eslint/{name}": ["error", options] for name, options in RULES.items()})
    asked = {"RELAY": "1", "LINT_RULES": rules, "SCHEMA": str(tmp_path / "schema.graphql")}
    marks = await suite(run, "schema_lint.sh", None, **asked)
    assert marks == "schema lint: 0 eslint findings, 0 breaking changes, codegen rc=0, tsc rc=0"


async def test_limits(run: Run, running: Running) -> None:
    target = {"GRAPHQL_URL": f"{running.address}/graphql", "MAX_MS": "5000"}
    # A stranger is told nothing and may ask nothing but __typename: as on a real installation.
    lines = (await run("python3", SUITES / "limits_probe.py", **target)).strip().splitlines()
    held, _, cases = lines[-1].removeprefix("limits probe: ").removesuffix(" held").partition("/")
    assert held == cases != "0"
