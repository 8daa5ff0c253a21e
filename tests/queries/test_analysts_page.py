"""docs/analysts.md: every command and program in it runs, and its table of figures says what the schema says."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, get_named_type, is_composite_type, visit

from queries.contract import contract
from queries.saved import find
from tests.support.architecture import ROOT
from tests.support.http_server import PASSWORD, Running

PAGE = (ROOT / "docs" / "analysts.md").read_text()
# What an analyst gets that is neither a name nor an id.
FIGURES = ("Int", "Float", "Boolean", "Date", "DateTime", "TrafficLight")
OPERATIONS = (
    "site_comparison", "learners_off_track", "overdue_actions", "off_the_job_hours", "evidence_ageing",
    "sign_off_funnel", "reviews_due",
)  # fmt: skip
SOURCE = re.compile(r"\[(?:\d{3}|ST\d{4})[^]]*\]")


def blocks(language: str) -> list[str]:
    """The page's fenced blocks in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class Fields(Visitor):
    """Gathers the fields that an operation reads figures from: `Type.field` with its description."""

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


def figures() -> dict[str, str]:
    """Every figure of the analysts' operations, with its definition in the schema."""
    found: dict[str, str] = {}
    for name in OPERATIONS:
        types = TypeInfo(contract())
        visit(find(name).document, TypeInfoVisitor(types, Fields(types, found)))
    return dict(sorted(found.items()))


def table() -> dict[str, str]:
    """The page's table of figures."""
    return dict(re.findall(r"^\| `(\w+\.\w+)` \| (.*) \|$", PAGE, re.MULTILINE))


def test_the_table_of_figures_is_what_the_schema_says():
    assert table() == figures()


@pytest.mark.parametrize("figure", figures())
def test_a_figure_names_the_document_that_it_comes_from(figure: str):
    assert SOURCE.search(figures()[figure]), figures()[figure]


def test_every_operation_for_analysts_is_on_the_page():
    assert [name for name in OPERATIONS if f"`{name}`" not in PAGE] == []


async def ran(program: list[str], text: str, served: Running, folder: Path) -> str:
    """What a block prints, as the demo's Master Admin, with `folder` in the place of var/."""
    process = await asyncio.create_subprocess_exec(
        *program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={
            **os.environ, "WAYMARK_URL": served.address, "WAYMARK_USERNAME": "master.admin",
            "WAYMARK_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT),
        },
    )  # fmt: skip
    written = text.replace("var/", f"{folder}/").replace(".venv/bin/python", sys.executable)
    out, told = await process.communicate(written.encode())
    assert process.returncode == 0, told.decode()
    return out.decode()


@pytest.mark.parametrize("block", blocks("sh"))
async def test_a_command_runs(block: str, served: Running, tmp_path: Path):
    out = await ran(["bash", "-euo", "pipefail"], block, served, tmp_path)
    named = {Path(name).name for name in re.findall(r"var/\S+", block)}
    assert {path.name for path in tmp_path.iterdir() if path.stat().st_size} == named
    assert out or named


@pytest.mark.parametrize("block", blocks("python"))
async def test_a_program_runs(block: str, served: Running, tmp_path: Path):
    assert await ran([sys.executable, "-"], block, served, tmp_path)


def test_there_are_commands_and_programs():
    assert len(blocks("sh")) >= 3 and len(blocks("python")) >= 3
