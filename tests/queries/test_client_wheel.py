"""The client's wheel: what is in it, what it needs, and that it works from any folder without the repository."""

import asyncio
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.queries.installed_client import environment, install
from tests.support.architecture import ROOT, imports
from tests.support.http_server import PASSWORD, RunningServer


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment in which the client is installed."""
    return install(tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
def content(programs: Path) -> dict[str, str]:
    """The text files of the wheel, by their names."""
    (wheel,) = (programs.parents[1] / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_wheel_has_the_client_and_no_server(content: dict[str, str]):
    names = {name for name in content if ".dist-info/" not in name}
    saved = {f"waymark/{path.name}" for path in (ROOT / "queries").glob("*.graphql")}
    modules = {f"waymark/{path.name}" for path in (ROOT / "queries").glob("*.py")} - {
        "waymark/parquet_pieces.py",
        "waymark/reports.py",
        "waymark/served.py",
    }
    assert names == saved | modules | {"waymark/py.typed", "waymark/data/schema.graphql"}
    (points,) = [text for name, text in content.items() if name.endswith("entry_points.txt")]
    assert "waymark = waymark.__main__:command" in points


def test_the_wheel_names_what_it_imports(content: dict[str, str]):
    (metadata,) = [text for name, text in content.items() if name.endswith("/METADATA")]
    needed = [Requirement(line) for line in Parser().parsestr(metadata).get_all("Requires-Dist")]
    for requirement in needed:
        assert requirement.specifier.contains(version(requirement.name)), requirement
    named = {requirement.name.removesuffix("-core") for requirement in needed}
    imported = {name for path, text in content.items() if path.endswith(".py") for name in imports(text)}
    assert imported - set(sys.stdlib_module_names) <= named


@pytest.mark.long
async def test_the_command_works_from_another_folder(programs: Path, served: RunningServer, tmp_path: Path):
    given = {"WAYMARK_URL": served.address, "WAYMARK_USERNAME": "assessor", "WAYMARK_PASSWORD": PASSWORD}
    own = "query Mine { viewer { role kpis { learnerCount } } }"
    (tmp_path / "mine.graphql").write_text(own)
    (tmp_path / "wrong.graphql").write_text("query Mine { viewer { roles } }")

    async def waymark(*arguments: str) -> tuple[int, str]:
        run = await asyncio.to_thread(
            subprocess.run, [programs / "waymark", *arguments], cwd=tmp_path, env=environment(programs, **given),
            capture_output=True, text=True,
        )  # fmt: skip
        return run.returncode, run.stdout + run.stderr

    status, listed = await waymark("list")
    assert status == 0 and "site_comparison" in listed and "usage" not in listed
    assert (await waymark("run", "site_comparison", "--out", "sites.parquet"))[0] == 0
    assert (tmp_path / "sites.parquet").read_bytes()[:4] == b"PAR1"
    status, said = await waymark("run", "./mine.graphql")
    assert status == 0 and "ASSESSOR" in said
    status, said = await waymark("run", "wrong.graphql")
    assert status == 2 and said.startswith("wrong.graphql: Cannot query field 'roles'")
    status, said = await waymark("run", "nothing")
    assert status == 2 and "Run `waymark list` to see all names." in said


@pytest.mark.long
def test_the_package_is_typed(programs: Path, tmp_path: Path):
    (tmp_path / "mine.py").write_text("from waymark import run\nreveal_type(run('x').rows)\nrun(3)\n")
    command = [sys.executable, "-m", "mypy", "--python-executable", programs / "python", "mine.py"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert re.search(r'Revealed type is "(builtins\.)?list\[(builtins\.)?dict\[', checked.stdout)
    assert 'Argument 1 to "run" has incompatible type "int"; expected "str"' in checked.stdout
