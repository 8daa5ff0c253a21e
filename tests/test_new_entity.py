"""A new entity costs its own files and no list: with its modules in place, every part of the product knows it.

The modules are in `tests/support/new_entity/`, under the paths that they would have in the product. The product runs
with them in a process of its own, because a mapped class cannot be removed from a process again.
"""

import asyncio
import json
import sys
from typing import Any

import pytest

from tests.support.architecture import ROOT
from tests.support.databases import Databases

Facts = dict[str, Any]


@pytest.fixture(scope="module")
async def facts(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """What the process found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.new_entity.process", await databases.fresh(backend),
        str(tmp_path_factory.mktemp("new_entity")), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-3000:]
    return json.loads(output)


def test_no_file_of_the_product_names_it() -> None:
    packages = [path for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").exists()]
    files = [file for package in packages if package.name != "tests" for file in package.rglob("*.py")]
    assert len(files) > 200
    assert [file for file in files if "ToolLoan" in file.read_text() or "tool_loan" in file.read_text()] == []


def test_it_costs_six_files() -> None:
    folder = ROOT / "tests/support/new_entity"
    modules = [path.relative_to(folder).as_posix() for path in folder.rglob("tool_loan.py")]
    # Besides these a migration, its row in auth/policy.py, schema.graphql and the changelog.
    assert sorted(modules) == [
        "db/models/tool_loan.py", "loaders/tool_loan.py", "resolvers/rules/tool_loan.py", "resolvers/tool_loan.py",
        "schema/mutations/tool_loan.py", "schema/types/tool_loan.py",
    ]  # fmt: skip


def test_it_is_discovered(facts: Facts) -> None:
    assert facts["declared"] == {
        "entity": True, "table": True, "node loader": True, "type": True, "asked of every viewer": True,
        "viewer actions": True, "part": True, "undeclared": [],
    }  # fmt: skip


@pytest.mark.parametrize("executor", ["compiled", "generic"])
def test_it_is_read_by_its_id_by_those_who_see_it(facts: Facts, executor: str) -> None:
    read = facts[f"read {executor}"]
    loan = read["Ann"]["toolLoan"]
    assert (loan["title"], loan["lentBy"], loan["returnedAt"]) == ("Torque wrench", {"name": "Ann"}, None)
    assert read["Ann"]["node"] == {"id": loan["id"], "title": "Torque wrench"}
    assert read["Ada"]["toolLoan"]["id"] == loan["id"]
    assert read["Bob"] == {"toolLoan": None, "node": None}


@pytest.mark.parametrize("executor", ["compiled", "generic"])
def test_it_is_listed_from_either_end(facts: Facts, executor: str) -> None:
    listed = facts[f"list {executor}"]
    whole = {"totalCount": 2, "nodes": [{"title": "Torque wrench"}, {"title": "Chain tool"}]}
    assert listed["Ann"]["toolLoans"] == listed["Ada"]["toolLoans"] == whole
    assert listed["Ann"]["end"] == {"pageInfo": {"hasPreviousPage": True}, "nodes": [{"title": "Chain tool"}]}
    assert listed["Ann"]["open"] == {"totalCount": 2}
    assert listed["Bob"]["toolLoans"] == {"totalCount": 0, "nodes": []}


def test_a_write_finds_it_for_those_who_see_it(facts: Facts) -> None:
    assert facts["for write"] == {"Ann": True, "Ada": True, "Bob": False}


def test_its_mutation_follows_scope_and_policy(facts: Facts) -> None:
    answers = {who: answer["toolLoanReturn"] for who, answer in facts["mutation"].items()}
    assert (
        answers["not in the policy"]["errors"] == answers["Ada"]["errors"] == [{"code": "NOT_ALLOWED", "field": None}]
    )
    assert answers["Bob"]["errors"] == [{"code": "NOT_FOUND", "field": ["id"]}]
    assert answers["Ann"]["errors"] == []
    assert answers["Ann"]["toolLoan"]["note"] == "Good" and answers["Ann"]["toolLoan"]["returnedAt"]
    assert facts["audit"] == ["toolLoanReturn"]


def test_subject_access_shows_it(facts: Facts) -> None:
    first, second = facts["subject access"]
    assert first.keys() == {"id", "aim", "title", "note", "dueOn", "lentBy", "returnedAt"}
    assert (first["title"], first["note"], first["aim"], first["lentBy"]) == (
        "Torque wrench", "Good", "Qualification", "Ann",
    )  # fmt: skip
    assert (second["title"], second["aim"]) == ("Chain tool", None)


def test_erasure_does_with_it_what_it_declares(facts: Facts) -> None:
    before, after = facts["before erasure"], facts["after erasure"]
    assert [row["title"] for row in before] == ["Torque wrench", "Chain tool"]
    assert [(row["title"], row["note"]) for row in after] == [("(erased)", None), ("(erased)", None)]
    for earlier, later in zip(before, after, strict=True):
        unchanged = earlier.keys() - {"title", "note", "version"}
        assert {name: earlier[name] for name in unchanged} == {name: later[name] for name in unchanged}
        # A form that was opened before cannot bring the text back.
        assert later["version"] == earlier["version"] + 1
