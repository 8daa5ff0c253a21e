"""The executor is a package of its own: it and its tests need nothing of Waymark."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from schema import executor

PACKAGE, TESTS = Path(executor.__file__).parent, Path(__file__).parent
# What a module of either may import besides the standard library.
ALLOWED = ("strawberry", "graphql", "aiodataloader", "pytest", "schema.executor", "tests.schema.executor")


def imported(path: Path) -> set[str]:
    """The modules that a file imports by their whole name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module != "schema":
            found.add(node.module or "")
        elif isinstance(node, ast.ImportFrom) and node.module == "schema":
            found |= {f"schema.{each.name}" for each in node.names}
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("path", sorted([*PACKAGE.glob("*.py"), *TESTS.glob("*.py")]), ids=lambda path: path.stem)
def test_it_imports_nothing_of_waymark(path: Path) -> None:
    foreign = [name for name in imported(path) if not any(f"{name}.".startswith(f"{one}.") for one in ALLOWED)]
    assert foreign == []


def test_it_runs_under_another_name_beside_nothing_of_waymark(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "compiled_executor", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-m", "compiled_executor.benchmark", "--seconds", "0.02"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert "generic" in run.stdout and "compiled" in run.stdout
