"""The wheel: it holds every file that the server reads, and the server runs from it."""

import ast
import base64
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.architecture import PACKAGES, ROOT, files
from tests.support.release import copy_source

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# What the server and its clients read when they run; the rest (tests, docs, bench, scripts) stays out of the wheel.
CONTENT = (*PACKAGES, "queries", "web", "graphiql", "reports", "docs/guides")
# Data that the code opens by a path; a wheel without one of them would fail at run time only.
DATA = (
    "docs/guides/*.md", "queries/*.graphql", "web/js/*.js", "graphiql/page.html", "reports/js/*.js",
    "schema/schema.graphql",
    "resolvers/exports/templates/*", "services/demo/qualifications/*", "services/demo/files/*",
    "db/migrations/versions/*.py",
)  # fmt: skip

# Runs with the unpacked wheel as the only place of Waymark's modules and data: creates a database, prints the schema.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import server
from services.guides import guides
assert server.__file__.startswith(sys.argv[1])
assert len(guides()) > 10
sys.exit(server.main(["migrate"]) or server.main(["schema"]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the working tree with the installed build backend: nothing is downloaded."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_packages_and_their_data_and_nothing_else(wheel: Path):
    expected = {
        path
        for path in files()
        if path in ("server.py", "export_worker.py") or path.startswith(tuple(f"{c}/" for c in CONTENT))
    }
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    charts = {
        path for path in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["artifacts"] if (ROOT / path).exists()
    }
    assert found == expected | charts
    assert [kind for kind in DATA if not any(Path(name).match(kind) for name in found)] == []


def test_the_server_runs_from_the_wheel(wheel: Path, tmp_path: Path):
    unpacked = tmp_path / "site-packages"
    zipfile.ZipFile(wheel).extractall(unpacked)
    for path in unpacked.rglob("*.py"):
        # The same file with its time and bytecode: to compile all takes longer than the rest.
        name = path.relative_to(unpacked).as_posix()
        if (ROOT / name).read_bytes() == path.read_bytes():
            copy_source(name, unpacked)
    environment = {
        "WAYMARK_DATABASE_URL": f"sqlite:///{tmp_path / 'waymark.db'}",
        "WAYMARK_BASE_URL": "https://portfolio.example",
        "WAYMARK_SECRET_KEYS": f"test:{base64.b64encode(os.urandom(32)).decode()}",
    }
    run = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, unpacked],
        cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith((ROOT / "schema" / "schema.graphql").read_text())
    assert (tmp_path / "waymark.db").stat().st_size


def test_the_console_script_names_a_function(wheel: Path):
    entry = PROJECT["project"]["scripts"]["waymark-server"]
    module, _, function = entry.partition(":")
    tree = ast.parse((ROOT / f"{module}.py").read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    (points,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/entry_points.txt")]
    assert f"waymark-server = {entry}" in zipfile.ZipFile(wheel).read(points).decode()


def test_the_extras_that_the_pages_name_exist():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {extra for page in pages for extra in re.findall(r"pip install '?\.\[(\w+)\]", page.read_text())}
    assert named == set(PROJECT["project"]["optional-dependencies"])


def test_the_build_backend_is_the_locked_one():
    (backend,) = PROJECT["build-system"]["requires"]
    assert backend in PROJECT["dependency-groups"]["dev"]
    assert re.search(rf"^{re.escape(backend)} \\$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
