"""docs/analysts.md: its commands and programs run. docs/figures.md: its table has the schema's descriptions."""

import asyncio
import datetime as dt
import re
import subprocess
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, get_named_type, is_composite_type, visit

from domain import clock
from queries.operations import get_operation
from queries.schema import load_schema
from tests.queries.installed_client import environment, install
from tests.support.architecture import ROOT
from tests.support.http_server import PASSWORD, Clients, RunningServer

PAGE = (ROOT / "docs" / "analysts.md").read_text()
FIGURES_PAGE = (ROOT / "docs" / "figures.md").read_text()
# The types of figures: neither names nor ids.
FIGURES = ("Int", "Float", "Boolean", "Date", "DateTime", "TrafficLight")
OPERATIONS = (
    "site_comparison", "learners_off_track", "overdue_actions", "off_the_job_hours", "evidence_ageing",
    "sign_off_funnel", "reviews_due", "kpi_groups", "kpi_history", "outcomes", "assessor_workload",
    "turnaround", "hours_by_month",
)  # fmt: skip


def blocks(language: str) -> list[str]:
    """Returns the page's code blocks in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class FigureVisitor(Visitor):
    """Collects the figures that an operation selects: `Type.field` and its description."""

    def __init__(self, types: TypeInfo, found: dict[str, str]) -> None:
        super().__init__()
        self._types, self._found = types, found

    def enter_field(self, node: FieldNode, *_: object) -> None:
        field, parent = self._types.get_field_def(), self._types.get_parent_type()
        named = get_named_type(field.type)
        if is_composite_type(named) or named.name not in FIGURES or parent.name == "PageInfo":
            return
        if node.name.value != "totalCount":
            self._found[f"{parent.name}.{node.name.value}"] = field.description or ""


@cache
def figures() -> dict[str, str]:
    """Returns every figure in the analysts' operations with its description in the schema."""
    found: dict[str, str] = {}
    for name in OPERATIONS:
        types = TypeInfo(load_schema())
        visit(get_operation(name).document, TypeInfoVisitor(types, FigureVisitor(types, found)))
    return dict(sorted(found.items()))


def table() -> dict[str, str]:
    """Returns the page's table of figures."""
    return dict(re.findall(r"^\| `(\w+\.\w+)` \| (.*) \|$", FIGURES_PAGE, re.MULTILINE))


def test_table_of_figures_matches_the_schema():
    assert table() == figures()


@pytest.mark.parametrize("figure", figures())
def test_figure_has_a_definition_without_a_citation(figure: str):
    assert figures()[figure].endswith(".")
    assert "[" not in figures()[figure]


def test_page_lists_every_operation_for_analysts():
    assert [name for name in OPERATIONS if f"`{name}`" not in PAGE] == []


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment in which the client is installed."""
    return install(tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
async def clients(served: RunningServer) -> AsyncIterator[Clients]:
    clients = Clients(served)
    yield clients
    await clients.close()


@pytest.fixture(scope="module")
async def key(clients: Clients) -> str:
    """The secret of an access key of the demo's Master Admin."""
    expires = (clock.now() + dt.timedelta(days=1)).isoformat()
    given = {"name": "docs/analysts.md", "expiresAt": expires, "password": PASSWORD}
    return (await (await clients("master.admin")).payload("accessKeyCreate", input=given))["secret"]


async def run_block(
    program: list[str], text: str, served: RunningServer, folder: Path, programs: Path, key: str
) -> str:
    """Runs a code block as the demo's Master Admin, in the folder; returns its output."""
    process = await asyncio.create_subprocess_exec(
        *program, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(
            programs, WAYMARK_URL=served.address, WAYMARK_USERNAME="master.admin", WAYMARK_PASSWORD=PASSWORD,
            WAYMARK_KEY=key,
        ),
    )  # fmt: skip
    out, errors = await process.communicate(text.encode())
    assert process.returncode == 0, errors.decode()
    return out.decode()


# What the operations return on PostgreSQL is the subject of other tests: here the page is.
on_sqlite = pytest.mark.parametrize(
    "backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True, scope="session"
)


def first_of(texts: list[str], number: int) -> list[Any]:
    """Returns all as parameters, those after the first `number` as long ones: each starts programs."""
    return [pytest.param(text, marks=() if place < number else pytest.mark.long) for place, text in enumerate(texts)]


@on_sqlite
@pytest.mark.parametrize("block", first_of(blocks("sh"), 1))
async def test_command_runs(block: str, served: RunningServer, tmp_path: Path, programs: Path, key: str):
    out = await run_block(["bash", "-euo", "pipefail"], block, served, tmp_path, programs, key)
    expected_files = set(re.findall(r"--out (\S+)", block))
    assert {path.name for path in tmp_path.iterdir() if path.stat().st_size} == expected_files
    assert out or expected_files


@on_sqlite
@pytest.mark.parametrize("block", first_of(blocks("python"), 2))
async def test_program_runs(block: str, served: RunningServer, tmp_path: Path, programs: Path, key: str):
    assert await run_block([str(programs / "python"), "-"], block, served, tmp_path, programs, key)


@on_sqlite
@pytest.mark.parametrize("block", blocks("graphql"))
async def test_request_runs(block: str, clients: Clients):
    answer = (await (await clients("master.admin")).post(block)).json()
    (payload,) = answer["data"].values()
    assert payload["errors"] == []


def test_page_has_commands_programs_and_requests():
    assert len(blocks("sh")) >= 3 and len(blocks("python")) >= 3 and len(blocks("graphql")) >= 1
