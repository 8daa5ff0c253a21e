"""The two request paths of docs/architecture.md: the files exist, run in a real request, and are few."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from domain import global_id
from domain.enums import AssessmentMethod
from queries.operations import get_operation
from repositories.scoped import one_for_write
from resolvers.evidence import assessment, submission
from tests.support.demo_server import Demo
from tests.support.lookup import learner_id
from tests.support.scenarios.base import PASSWORD
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

ROOT = Path(__file__).resolve().parents[2]
STEP = re.compile(r"^ ?(\d+) ([a-z_/]+\.py) ", re.MULTILINE)


def path_after(introduction: str) -> list[str]:
    """The numbered files of the diagram that follows a sentence of the page."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    steps = STEP.findall(page.split(introduction)[1].split("```")[1])
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    return [file for _, file in steps]


READ = path_after("in the order in which to open the files:")
WRITE = path_after("The example is `evidenceAssess`:")


@contextmanager
def recorded_files() -> Iterator[set[str]]:
    """Fills a set with the files of the repository in which a function is called while the block runs."""
    files: set[str] = set()

    def record(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            files.add(os.path.relpath(frame.f_code.co_filename, ROOT))

    sys.setprofile(record)
    try:
        yield files
    finally:
        sys.setprofile(None)


def declarations(files: list[str]) -> set[str]:
    """The files whose lines are read when the process starts: the fields of the schema, and a row without a method."""
    schema = {file for file in files if file.startswith("schema/") and not file.startswith("schema/executor/")}
    return schema | {"loaders/learner.py"}


def test_a_path_is_short_and_each_of_its_files_is_opened_once() -> None:
    for path, most in ((READ, 25), (WRITE, 14)):
        assert 10 < len(path) <= most
        assert len(set(path)) == len(path)
        assert [file for file in path if not (ROOT / file).is_file()] == []


async def test_the_progress_map_runs_through_the_files_of_its_path(demo: Demo) -> None:
    async with demo.serving("sqlite") as running, running.signed_in("assessor") as assessor:
        document, learner = get_operation("progress_map").text, await learner_id(assessor, "Maya Thornton")
        # The second request runs as compiled Python.
        await assessor.data(document, learnerId=learner)
        with recorded_files() as files:
            await assessor.data(document, learnerId=learner)
    assert set(READ) - declarations(READ) - files == set()


async def test_an_assessment_runs_through_the_files_of_its_path(empty_portfolio: EmptyPortfolio) -> None:
    scenario = empty_portfolio
    key = await submission.submit(
        scenario.context("learner"), aim_id=scenario.aim, file_id=await scenario.upload("learner"), title="A wheel",
        description="How", declare_own_work=True, password=PASSWORD,
    )  # fmt: skip
    mappings: list[assessment.MappingInput] = [{"criterion_id": scenario.criteria[0], "sign_off": True}]
    # It is built once a role.
    one_for_write.cache_clear()
    with recorded_files() as files:
        await assessment.assess(
            scenario.context("assessor"), id=global_id.encode("Evidence", key), mappings=mappings,
            assessment_methods=[AssessmentMethod.PRODUCT],
        )  # fmt: skip
    assert set(WRITE) - declarations(WRITE) - files == set()
