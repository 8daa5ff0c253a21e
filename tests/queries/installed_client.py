"""The client as analysts have it: its wheel, built from the working tree and installed in an environment of its own."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.support.architecture import ROOT


def build_wheel(folder: Path) -> Path:
    """Builds the client's wheel with the installed build backend: nothing is downloaded."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT / "client", check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(folder: Path) -> Path:
    """Installs the client in a new environment and returns the environment's folder of programs.

    Its dependencies are those of the tests' environment, so that nothing is downloaded; test_client_wheel.py checks
    that the wheel names them all.
    """
    wheel = build_wheel(folder / "dist")
    venv.create(folder / "venv", with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "venv" / "bin" / "python"), "install"]
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([*pip, *options], check=True, capture_output=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv" / "bin"


def environment(programs: Path, **more: str) -> dict[str, str]:
    """Returns the environment in which the client's programs are found, and nothing of the repository."""
    without = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**without, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **more}
