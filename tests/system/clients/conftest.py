"""Fixtures for the tests with real clients: Node, the packages of package-lock.json, and running programs there."""

import asyncio
import fcntl
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE_MODULES = HERE / "node_modules"
STAMP = NODE_MODULES / "installed-lock.json"

Run = Callable[..., Awaitable[str]]


def node_is_missing() -> bool:
    """Returns whether Node 20 or later, or npm, is not installed."""
    if not (shutil.which("node") and shutil.which("npm")):
        return True
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return int(version.removeprefix("v").partition(".")[0] or 0) < 20


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder of the installed packages, which are installed again when the lock file changes."""
    if node_is_missing():
        pytest.skip("Node 20 with npm is not installed, so the real clients are not tested (Debian: nodejs npm)")
    locked = (HERE / "package-lock.json").read_bytes()
    # Only one test process at a time installs them.
    with (HERE / "node_modules.lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if not (STAMP.exists() and STAMP.read_bytes() == locked):
            command = "npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error"
            installation = subprocess.run(command.split(), cwd=HERE, capture_output=True, text=True)
            if installation.returncode:
                reason = (installation.stderr.strip().splitlines() or ["npm printed nothing"])[0]
                pytest.skip(f"npm cannot install the client packages ({reason}), so the real clients are not tested")
            STAMP.write_bytes(locked)
    return NODE_MODULES


@pytest.fixture(scope="session")
def run(node: Path) -> Run:
    """Runs a program and returns its output; fails the test with the output if the program fails.

    `await run("node", "--test", "apollo.test.mjs", WAYMARK=address)` runs in this folder, unless `cwd` is given. Other
    keyword arguments are environment variables.
    """

    async def run_program(*command: str | Path, cwd: Path = HERE, **environment: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=cwd,
            env={**os.environ, "PATH": f"{node / '.bin'}:{os.environ['PATH']}", "NO_COLOR": "1", **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(110):
                output = (await process.communicate())[0].decode("utf-8", "replace")
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            # The end of the output has the client's error; the server's log is before it.
            pytest.fail(f"{' '.join(map(str, command))}\n{output[-6000:]}", pytrace=False)
        return output

    return run_program


@pytest.fixture
def workshop(node: Path, tmp_path: Path) -> Path:
    """A temporary folder with the installed packages, in which tests may create files."""
    (tmp_path / "node_modules").symlink_to(node, target_is_directory=True)
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    return tmp_path
