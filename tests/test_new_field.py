"""A new field of Learner that can be changed costs seven files, by the checklist of CONTRIBUTING.md.

A copy of the repository gets the lines that the checklist has, and runs in a process of its own.
"""

import ast
import asyncio
import filecmp
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.architecture import ROOT, files
from tests.support.release import copy_source

CHECKLIST = (ROOT / "CONTRIBUTING.md").read_text().split("## Add a field to Learner")[1].split("\n## ")[0]
# File -> the line after which the checklist's line goes.
PLACES = {
    "db/models/learner.py": "    uln: Mapped[str | None] = personal(String(10), erased=None)\n",
    "loaders/learner.py": "    photo_key: int | None = column(Learner.photo_file_id)\n",
    "schema/types/learner.py": '    name: str = attribute("The learner\'s name.")\n',
    "schema/mutations/learner.py": 'field(default=strawberry.UNSET, description="The learner\'s name.")\n',
}
IMPORT = "Base, PrimaryKey, Timestamp"
# The migration, and besides code the promise to clients. The seventh is docs/changelog.md.
WRITTEN = {"db/migrations/versions/0025_adds_the_pronouns.py", "schema/schema.graphql"}


def lines_of_checklist() -> list[str]:
    """Returns the lines of code that the checklist gives, in its order: one for each of `PLACES`."""
    return [" ".join(code.split()) for code in re.findall(r"`(pronouns: [^`]+)`", CHECKLIST)]


def add_field(copy: Path) -> None:
    """Adds the lines of the checklist to the copy."""
    for (path, place), line in zip(PLACES.items(), lines_of_checklist(), strict=True):
        text = (copy / path).read_text()
        assert text.count(place) == 1, path
        text = text.replace(place, f"{place}    {line}\n")
        if path.startswith("db/"):
            text = text.replace(IMPORT, "Base, PrimaryKey, ShortText, Timestamp")
        (copy / path).write_text(text)


@pytest.fixture(scope="module")
async def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the lines of the checklist."""
    root = tmp_path_factory.mktemp("copy")
    for path in files():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        copy_source(path, root)
    add_field(root)
    return root


@pytest.fixture(scope="module")
async def facts(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the process found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.new_field.process", str(tmp_path_factory.mktemp("database")),
        cwd=copy, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-3000:]
    # Alembic says first which file it writes.
    return json.loads(output.splitlines()[-1])


@pytest.mark.long
def test_it_is_changed_and_checked_as_its_column_says(facts: dict[str, Any]) -> None:
    assert facts["changed"] == {"learner": {"pronouns": "they/ them"}, "errors": []}
    too_long = {"learner": None, "errors": [{"code": "INVALID", "field": ["input", "pronouns"]}]}
    assert facts["too long"] == too_long
    assert facts["emptied"] == {"learner": {"pronouns": None}, "errors": []}


@pytest.mark.long
def test_subject_access_shows_it_and_erasure_removes_it(facts: dict[str, Any]) -> None:
    assert (facts["subject access"], facts["after erasure"]) == ("they/them", None)


@pytest.mark.long
def test_it_costs_seven_files(copy: Path, facts: dict[str, Any]) -> None:
    names = sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.suffix in {".py", ".graphql"})
    changed = {
        name for name in names if not (ROOT / name).exists() or not filecmp.cmp(ROOT / name, copy / name, shallow=False)
    }
    assert changed == {*PLACES, *WRITTEN}
    migration = (copy / "db/migrations/versions" / facts["migration"]).read_text()
    assert re.search(
        r"def upgrade.*sa.Column\(.pronouns., sa.String\(length=300\), nullable=True", migration, re.DOTALL
    )


def test_each_line_of_the_checklist_has_its_place(copy: Path) -> None:
    """The short form: the files that the checklist names are there, and take its lines."""
    for path, line in zip(PLACES, lines_of_checklist(), strict=True):
        tree = ast.parse((copy / path).read_text())
        fields = [each for each in ast.walk(tree) if isinstance(each, ast.AnnAssign)]
        [added] = [each for each in fields if isinstance(each.target, ast.Name) and each.target.id == "pronouns"]
        assert ast.unparse(added) == ast.unparse(ast.parse(line))
    steps = CHECKLIST.split("\n7. ")[0]
    for name in (*PLACES, "db/migrations/versions/", "schema/schema.graphql", "docs/changelog.md"):
        assert f"`{name}`" in steps or f"> {name}`" in steps, name
