"""Third-party conformance suites, run against a real server if they are installed beside the repository."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from graphql import is_object_type

from loaders.core.registry import node_loaders
from schema.root import printed
from tests.support.architecture import ROOT
from tests.support.client import SCHEMA
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer
from tests.system.clients.conftest import Run

# WAYMARK_SUITES names their folder; the default is the folder used in development.
SUITES = Path(os.environ.get("WAYMARK_SUITES", ROOT.parent / "shared" / "suites"))

pytestmark = pytest.mark.skipif(not any(SUITES.glob("*.sh")), reason="the third-party suites are not installed")

TOLERANCE = (
    "mutation($n: Float!) { providerSettingsUpdate(input: { trafficLightTolerance: $n }) { errors { message } } }"
)

# Types of which no record can be fetched have no id on purpose: values of another object, singletons, and objects with
# another key (a guide's slug). An invented id would make a client's cache keep two states of the same object.
VALUES = sorted(name for name, type_ in SCHEMA.type_map.items() if is_object_type(type_) and name not in node_loaders())
WRAPPERS = ["Connection", "Edge", "Payload"]
RULES = {
    "strict-id-in-types": {"exceptions": {"types": VALUES, "suffixes": WRAPPERS}},
    # Short lists are plain lists, and connections also have `nodes` for clients that need no cursors.
    "relay-edge-types": {"listTypeCanWrapOnlyEdgeType": False},
}
# These rules take no exceptions, so comments make them: by the type, and the field if it is about one.
EXCEPTIONS = {
    # What was deleted cannot be fetched by its id.
    ("DeletedRecordEdge", None): "relay-edge-types",
    # The field of what may be done has one name in all types, which begins with the name of this one.
    ("Viewer", "viewerActions"): "no-typename-prefix",
}


@pytest.fixture(scope="module")
async def running(demo: Demo) -> AsyncIterator[RunningServer]:
    async with demo.serving("sqlite") as served:
        yield served


async def suite(run: Run, name: str, running: RunningServer | None, **environment: str) -> str:
    """Runs one suite, signed in as an assessor, and returns the last line of its output, which has the score."""
    target = {}
    if running is not None:
        async with running.signed_in("assessor") as person:
            target = {"GRAPHQL_URL": f"{running.address}/graphql", "TOKEN": person.tokens["accessToken"]}
    try:
        lines = await run("bash", SUITES / name, **target, **environment)
    except pytest.fail.Exception as failed:
        if str(failed).endswith("install failed\n"):
            pytest.skip("npm cannot install the packages of the third-party suites, so they are not run")
        raise
    return lines.strip().splitlines()[-1]


@asynccontextmanager
async def numbers_change(running: RunningServer) -> AsyncIterator[None]:
    """Changes KPIs a few times a second while the block runs."""

    async def change() -> None:
        async with running.signed_in("master.admin") as admin:
            while True:
                for tolerance in (60, 1):
                    await admin.data(TOLERANCE, n=tolerance)
                    await asyncio.sleep(0.25)

    changing = asyncio.create_task(change())
    try:
        yield
    finally:
        changing.cancel()


async def test_graphql_over_http(run: Run, running: RunningServer) -> None:
    # Its GET requests have a token, which a page of another site cannot send. Without one they need a custom header.
    score = await suite(run, "graphql_http_audit.sh", running)
    assert score == "graphql-http audits: 13/13 MUST, 23/23 SHOULD, 25/25 MAY"


async def test_real_clients(run: Run, running: RunningServer) -> None:
    assert await suite(run, "real_clients.sh", running) == "real clients: 10/10"


async def test_websocket_and_sse_protocols(run: Run, running: RunningServer) -> None:
    async with numbers_change(running):
        subscriptions = {"SUBSCRIPTION": "subscription{kpisChanged(take:3){generatedAt}}"}
        subscriptions["SUBSCRIPTION_LONG"] = "subscription{kpisChanged{generatedAt}}"
        score = await suite(run, "ws_sse_protocol.sh", running, **subscriptions)
    assert score == "ws/sse protocol: 31/31"


def with_exceptions(schema: str) -> str:
    """The schema with a comment before each type or field that a rule need not hold for."""
    for (type_name, field), rule in EXCEPTIONS.items():
        before, found, after = schema.partition(f"\ntype {type_name} ")
        own, end, rest = after.partition("\n}\n")
        comment = f"# eslint-disable-next-line @graphql-eslint/{rule}"
        assert found, type_name
        if field is None:
            schema = f"{before}\n{comment}{found}{after}"
            continue
        assert own.count(f"\n  {field}(") == 1
        own = own.replace(f"\n  {field}(", f"\n  {comment}\n  {field}(")
        schema = "".join((before, found, own, end, rest))
    return schema


@pytest.mark.long
async def test_schema_lint_with_relay_rules(run: Run, tmp_path: Path) -> None:
    (tmp_path / "schema.graphql").write_text(with_exceptions(printed()))
    rules = json.dumps({f"@graphql-eslint/{name}": ["error", options] for name, options in RULES.items()})
    settings = {"RELAY": "1", "LINT_RULES": rules, "SCHEMA": str(tmp_path / "schema.graphql")}
    score = await suite(run, "schema_lint.sh", None, **settings)
    assert score == "schema lint: 0 eslint findings, 0 breaking changes, codegen rc=0, tsc rc=0"


async def test_limits(run: Run, running: RunningServer) -> None:
    target = {"GRAPHQL_URL": f"{running.address}/graphql", "MAX_MS": "5000"}
    # Not signed in: only __typename may be queried, as on a real installation.
    lines = (await run("python3", SUITES / "limits_probe.py", **target)).strip().splitlines()
    passed, _, cases = lines[-1].removeprefix("limits probe: ").removesuffix(" held").partition("/")
    assert passed == cases != "0"
