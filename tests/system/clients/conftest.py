"""Fixtures for the tests with real clients: Node, the packages of package-lock.json, and running programs there."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.npm import installed_packages

HERE = Path(__file__).parent
NODE_TEST = ("node", "--test", "--test-timeout=60000")
Run = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder of the installed packages."""
    return installed_packages(HERE)


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
