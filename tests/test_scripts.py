"""The scripts: they find a Python that fits, say what to install where there is none, and do nothing twice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.architecture import ROOT

BASH = shutil.which("bash")


def run(script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BASH, script], env=environment, capture_output=True, text=True)


def program(path: Path, source: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "name", ["scripts/serve", "scripts/test", "scripts/setup", "scripts/lock", "scripts/release", "scripts/find-python"]
)
def test_a_script_runs_and_stops_at_the_first_fault(name: str):
    assert os.access(ROOT / name, os.X_OK)
    assert "\nset -euo pipefail\n" in (ROOT / name).read_text()
    subprocess.run([BASH, "-n", ROOT / name], check=True)


def test_without_a_python_it_says_what_to_install(tmp_path: Path):
    found = run(ROOT / "scripts/find-python", PATH=str(tmp_path))
    assert (found.returncode, found.stdout) == (1, "")
    assert "Python 3.11, 3.12 or 3.13" in found.stderr and "WAYMARK_PYTHON" in found.stderr


def test_a_python_that_does_not_fit_is_passed_over(tmp_path: Path):
    # A version manager's shim of this kind stands first on the PATH of many machines.
    program(tmp_path / "shims/python3.11", "#!/bin/sh\nexit 127\n")
    fits = program(tmp_path / "bin/python3.11", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    found = run(ROOT / "scripts/find-python", PATH=f"{tmp_path}/shims:{tmp_path}/bin:{os.environ['PATH']}")
    assert found.stdout.strip() == str(fits)


def test_a_python_that_was_named_must_fit(tmp_path: Path):
    old = program(tmp_path / "python2", "#!/bin/sh\nexit 1\n")
    found = run(ROOT / "scripts/find-python", PATH=os.environ["PATH"], WAYMARK_PYTHON=str(old))
    assert found.returncode == 1 and str(old) in found.stderr


def test_setup_installs_once_and_again_when_the_lock_changes(tmp_path: Path):
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    lock, calls = tmp_path / "requirements.lock", tmp_path / "calls"
    lock.write_text("first\n")
    program(tmp_path / ".venv/bin/python", f'#!/bin/sh\necho "$*" >> "{calls}"\n')

    def installs() -> int:
        done = run(tmp_path / "scripts/setup", PATH=os.environ["PATH"])
        assert done.returncode == 0, done.stderr
        return calls.read_text().count("--require-hashes --requirement requirements.lock")

    assert [installs(), installs()] == [1, 1]
    lock.write_text("second\n")
    assert [installs(), installs()] == [2, 2]


def test_an_install_that_failed_is_tried_again(tmp_path: Path):
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "requirements.lock").write_text("first\n")
    program(tmp_path / ".venv/bin/python", '#!/bin/sh\ntest "$1" = -c\n')
    for _ in range(2):
        failed = run(tmp_path / "scripts/setup", PATH=os.environ["PATH"])
        assert failed.returncode == 1 and "could not be installed" in failed.stderr
