"""The two request paths of docs/architecture.md: the files that one opens are few, and no others run than are named."""

import gc
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any

import httpx2

from domain import global_id
from domain.enums import AssessmentMethod
from repositories.scoped import one_for_write
from resolvers.evidence import assessment, submission
from tests.support import architecture
from tests.support.demo_server import Demo
from tests.support.lookup import learner_id
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

ROOT = architecture.ROOT
PAGE = (ROOT / "docs" / "architecture.md").read_text()
STEP = re.compile(r"^ ?(\d+) ([a-z_/]+\.py) ", re.MULTILINE)
FILE = re.compile(r"[a-z_]+(?:/[a-z_]+)*\.py")


def path_after(introduction: str) -> list[str]:
    """The numbered files of the diagram that follows a sentence of the page."""
    steps = STEP.findall(PAGE.split(introduction)[1].split("```")[1])
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    return [file for _, file in steps]


def named_after(introduction: str) -> list[str]:
    """The files of the block that follows a sentence of the page: a folder, then names, which may go on below."""
    found, folder = [], ""
    for line in PAGE.split(introduction)[1].split("```")[1].strip().splitlines():
        if not line.startswith(" "):
            folder = line.split()[0]
        found += [folder + name for name in FILE.findall(line)]
    return found


READ = path_after("in the order in which to open the files:")
WRITE = path_after("The example is `evidenceAssess`:")
BESIDE_READ = named_after("The read also runs through these files")
BESIDE_WRITE = named_after("The write also runs through these files")
# Of those, what runs on one database only.
ON_POSTGRESQL = {
    "db/read_pool.py", "db/wait_queue.py", "services/change_feed/changes.py", "services/change_feed/publisher.py",
}  # fmt: skip
WRITES_ON_POSTGRESQL = ON_POSTGRESQL | {
    "db/compiled_select.py", "db/new_objects.py", "db/postgres_connection.py", "db/write_pool.py",
    "db/write_session.py",
}  # fmt: skip
ON_SQLITE = {"db/engines.py", "db/sql/any_of.py", "db/sqlite_pool.py", "services/audit/chain.py"}
# Whose results a process keeps: they run for new facts only.
KEPT = {"loaders/progress.py", "domain/sentences.py"}
# It runs for statements only that the engine has not compiled yet, which depends on the tests before.
COMPILES = {"db/compiling.py"}

# Of the repository, what belongs to the product.
PRODUCT = {file for file in architecture.files() if not file.startswith(("tests/", "bench/"))}

# In the tasks and callbacks that a recorded request starts, and not in the server's work beside requests.
_recorded: ContextVar[bool] = ContextVar("recorded", default=False)


@contextmanager
def recorded_files() -> Iterator[set[str]]:
    """Fills a set with the files of the product in which the block, and what it starts, calls a function."""
    files: set[str] = set()

    def record(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and _recorded.get():
            files.add(os.path.relpath(frame.f_code.co_filename, ROOT))

    token = _recorded.set(True)
    # A collection would call the loop monitor of a server in this process, in the middle of the request.
    gc.disable()
    sys.setprofile(record)
    try:
        yield files
    finally:
        sys.setprofile(None)
        gc.enable()
        _recorded.reset(token)
        files &= PRODUCT


def declarations(files: list[str]) -> set[str]:
    """The files whose lines are read when the process starts: the fields of the schema, and a row without a method."""
    schema = {file for file in files if file.startswith("schema/") and not file.startswith("schema/executor/")}
    return schema | {"loaders/learner.py"}


def test_a_path_is_short_and_each_of_its_files_is_opened_once() -> None:
    for path, beside, most in ((READ, BESIDE_READ, 25), (WRITE, BESIDE_WRITE, 14)):
        assert 10 < len(path) <= most
        named = [*path, *beside]
        assert len(set(named)) == len(named)
        assert [file for file in named if not (ROOT / file).is_file()] == []


async def test_the_progress_map_runs_through_the_files_of_its_path(demo: Demo) -> None:
    async with demo.serving("sqlite") as running, running.signed_in("assessor") as assessor:
        variables = {"learnerId": await learner_id(assessor, "Maya Thornton")}
        body = {"documentId": "progress_map", "variables": variables}
        # Without a socket, so that what the request starts runs in the context of the test.
        transport = httpx2.ASGITransport(app=running.server.app)
        headers = {"authorization": assessor.http.headers["authorization"]}
        async with httpx2.AsyncClient(transport=transport, base_url=running.address, headers=headers) as http:
            # The second request runs as compiled Python.
            await http.post("/graphql", json=body)
            with recorded_files() as files:
                response = await http.post("/graphql", json=body)
    assert response.json()["data"]["learner"]["aims"]
    assert set(READ) - declarations(READ) - files == set()
    assert (files | KEPT) - set(READ) == set(BESIDE_READ) - ON_POSTGRESQL


async def test_an_assessment_runs_through_the_files_of_its_path(empty_portfolio: EmptyPortfolio, backend: str) -> None:
    scenario = empty_portfolio
    # The first one builds the statements that a process keeps.
    for criterion in scenario.criteria[:2]:
        key = await submission.submit(
            scenario.context("learner"), aim_id=scenario.aim, file_id=await scenario.upload("learner"),
            title="A wheel", description="How", declare_own_work=True, password=PASSWORD,
        )  # fmt: skip
        # It is built once a role.
        one_for_write.cache_clear()
        mappings: list[assessment.MappingInput] = [{"criterion_id": criterion, "sign_off": True}]
        with recorded_files() as files:
            await assessment.assess(
                scenario.context("assessor"), id=global_id.encode("Evidence", key), mappings=mappings,
                assessment_methods=[AssessmentMethod.PRODUCT],
            )  # fmt: skip
    assert set(WRITE) - declarations(WRITE) - files == set()
    files |= COMPILES
    assert files - set(WRITE) == set(BESIDE_WRITE) - (WRITES_ON_POSTGRESQL if backend == "sqlite" else ON_SQLITE)
