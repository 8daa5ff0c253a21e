"""What the tests of real clients share: Node, the packages of package-lock.json, and a way to run a program there."""

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


def node_too_old() -> bool:
    """Whether there is no Node 20 or later, or no npm beside it."""
    if not (shutil.which("node") and shutil.which("npm")):
        return True
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return int(version.removeprefix("v").partition(".")[0] or 0) < 20


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder of the installed packages; installed once, and again when the lock changes."""
    if node_too_old():
        pytest.skip("Node 20 with npm is not on this machine, so the real clients are not tested (Debian: nodejs npm)")
    lock = (HERE / "package-lock.json").read_bytes()
    with (HERE / "node_modules.lock").open("w") as only_one:
        fcntl.flock(only_one, fcntl.LOCK_EX)
        if not (STAMP.exists() and STAMP.read_bytes() == lock):
            command = "npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error"
            done = subprocess.run(command.split(), cwd=HERE, capture_output=True, text=True)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["npm said nothing"])[0]
                pytest.skip(f"npm cannot install the client packages ({reason}), so the real clients are not tested")
            STAMP.write_bytes(lock)
    return NODE_MODULES


@pytest.fixture(scope="session")
def run(node: Path) -> Run:
    """Runs a program and gives what it printed; it fails the test with that if the program fails.

    `await run("node", "--test", "apollo.test.mjs", WAYMARK=address)`: in this folder unless `cwd` names another;
    keywords in capitals are put into the environment.
    """

    async def program(*command: str | Path, cwd: Path = HERE, **environment: str) -> str:
        started = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=cwd,
            env={**os.environ, "PATH": f"{node / '.bin'}:{os.environ['PATH']}", "NO_COLOR": "1", **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(110):
                printed = (await started.communicate())[0].decode("utf-8", "replace")
        finally:
            if started.returncode is None:
                started.kill()
        if started.returncode:
            # The server's own log stands between; what the client saw is what matters here.
            pytest.fail(f"{' '.join(map(str, command))}\n{printed[-6000:]}", pytrace=False)
        return printed

    return program


@pytest.fixture
def workshop(node: Path, tmp_path: Path) -> Path:
    """A folder outside the repository, in which the installed packages are found and files may be made."""
    (tmp_path / "node_modules").symlink_to(node, target_is_directory=True)
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    return tmp_path
