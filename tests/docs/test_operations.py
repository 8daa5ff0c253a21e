"""docs/operations.md: the shell blocks run in order from an empty folder to a first login, a backup and its return."""

import asyncio
import os
import re
import shutil
import subprocess
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.support.architecture import ROOT, files
from tests.support.databases import Databases
from tests.support.postgres_server import _wheel_folder
from tests.support.server_process import free_port

PAGE = (ROOT / "docs/operations.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
AS_ROOT = [block for block in BLOCKS if block.startswith("# as root\n")]
NAMES = {"sqlite": "# SQLite\n", "postgresql": "# PostgreSQL\n"}
END = "\x1e"
PACKAGES = [each.parent for each in ROOT.glob("*/__init__.py") if each.parent.name not in ("tests", "bench")]
PASSWORD = "a heron on the weir"


def blocks_for(backend: str) -> list[str]:
    """The blocks that run with a database."""
    other = {name for key, name in NAMES.items() if key != backend}
    return [block for block in BLOCKS if not block.startswith(("# as root\n", "# instead\n", *other))]


def test_the_page_has_the_blocks_that_are_run() -> None:
    assert len(AS_ROOT) >= 4 and len(blocks_for("sqlite")) >= 8
    assert set(re.findall(r"^```(\w*)$", PAGE, re.MULTILINE)) == {"sh", ""}


@pytest.mark.parametrize("block", AS_ROOT)
def test_what_root_installs_exists(block: str) -> None:
    assert subprocess.run(["bash", "-n", "-c", block], capture_output=True).returncode == 0
    for path in re.findall(r"/srv/waymark/waymark/(\S+)", block):
        assert path in ("waymark.env", ".venv/bin/python") or (ROOT / path).is_file(), path
    for unit in re.findall(r"\bwaymark@\d+", block):
        assert (ROOT / "deploy" / f"{unit.partition('@')[0]}@.service").is_file()


def repository(folder: Path) -> Path:
    """Makes a repository of the working tree."""
    for path in files():
        if not path.startswith(("tests/", "docs/screenshots/")):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path, follow_symlinks=False)
    git = ["git", "-C", str(folder), "-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "The tree."]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    return folder


def parts_for(backend: str, whole: bool) -> list[str]:
    """Returns the blocks that run with a database: all of them, or those up to the first login."""
    blocks = blocks_for(backend)
    return blocks if whole else blocks[: 1 + next(i for i, block in enumerate(blocks) if "mutation { login" in block)]


@pytest.mark.parametrize(
    "whole", [pytest.param(False, id="login"), pytest.param(True, id="all", marks=pytest.mark.long)]
)
async def test_the_page_leads_to_a_login_and_a_backup(
    databases: Databases, backend: str, tmp_path: Path, whole: bool
) -> None:
    source, home, port = repository(tmp_path / "repository"), tmp_path / "home", str(free_port())
    home.mkdir()
    url = f"sqlite:///{home}/waymark/var/waymark.db"
    if backend == "postgresql":
        url = await databases._create("postgresql", None)
    values = {
        "repository": str(source), "database_url": url.replace("+asyncpg", ""), "email": "you@example.org",
        "address": "https://portfolio.example",
    }  # fmt: skip
    scripts = []
    blocks = parts_for(backend, whole)
    for block in blocks:
        if block.startswith("# your values\n"):
            assert re.findall(r"^(\w+)=", block, re.MULTILINE) == ["repository", "database_url", "address", "email"]
            block = "\n".join(f"{name}='{value}'" for name, value in values.items())
        block = block.replace("8001", port)
        if "git clone" in block:
            # The libraries are installed already: scripts/setup then has nothing to download.
            block += f"ln -s {ROOT}/.venv .venv\nmkdir graphiql/node_modules reports/node_modules\n"
            block += 'sed --in-place "s#/srv/waymark/waymark#$PWD#" deploy/*.service\n'
            # The same files with their times, so that their bytecode is valid and each command does not compile it.
            block += "".join(f"cp --archive {package} .\n" for package in PACKAGES)
            for folder in ("graphiql", "reports"):
                block += f"cp {folder}/package-lock.json {folder}/node_modules/installed-lock.json\n"
        scripts.append(block)
    script = "set -euo pipefail\n" + "".join(f"{block}\nprintf '{END}'\n" for block in scripts)
    path = f"{_wheel_folder() / 'bin'}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", "WAYMARK_METRICS": "off"}
    log = tmp_path / "errors"
    with log.open("wb") as errors:
        started = await asyncio.create_subprocess_exec(
            "bash", "-c", script, cwd=home, env=environment, stdin=PIPE, stdout=PIPE, stderr=errors
        )
        assert started.stdin is not None and started.stdout is not None
        printed: list[str] = []
        try:
            async with asyncio.timeout(240):
                for block in scripts:
                    # The administrator's command reads ahead, so each password is sent to the block that reads it.
                    if "server.py admin" in block or "read -r -p" in block:
                        started.stdin.write(f"{PASSWORD}\n".encode())
                    printed.append((await started.stdout.readuntil(END.encode())).decode())
                await started.wait()
        except (TimeoutError, asyncio.IncompleteReadError):
            started.kill()
            raise AssertionError(f"{scripts[len(printed)]}\n{log.read_text()[-3000:]}") from None
    assert started.returncode == 0, log.read_text()[-3000:]

    [login] = [text for block, text in zip(scripts, printed, strict=True) if "mutation { login" in block]
    assert '"accessToken":"' in login.replace(" ", "") and '"errors":[]' in login.replace(" ", "")
    assert not [path for path in home.rglob("waymark.env") if path.stat().st_mode & 0o077]
    if not whole:
        return
    [doctor] = [text for block, text in zip(scripts, printed, strict=True) if "server.py doctor" in block]
    problems = {line.split()[1] for line in doctor.splitlines() if line.startswith("problem")}
    # The tests' PostgreSQL makes nothing durable, and no backup was made before.
    assert problems <= {"database"}
    assert "No problems" in printed[-1]
    if backend == "sqlite":
        assert "SHA-256 of the manifest" in "".join(printed)
