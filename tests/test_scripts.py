"""The scripts: finding a Python, installing once, the linters' steps, and what continuous integration runs."""

import os
import re
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
    "name",
    [
        "scripts/serve", "scripts/test", "scripts/test-long", "scripts/check", "scripts/setup", "scripts/lock",
        "scripts/release",
        "scripts/find-python", "scripts/rolling-release", "scripts/cluster", "scripts/new-migration", ".ci/run",
    ],
)  # fmt: skip
def test_a_script_is_executable_and_stops_at_the_first_error(name: str):
    assert os.access(ROOT / name, os.X_OK)
    assert "\nset -euo pipefail\n" in (ROOT / name).read_text()
    subprocess.run([BASH, "-n", ROOT / name], check=True)


def test_without_a_python_the_message_says_what_to_install(tmp_path: Path):
    found = run(ROOT / "scripts/find-python", PATH=str(tmp_path))
    assert (found.returncode, found.stdout) == (1, "")
    assert "Python 3.11, 3.12 or 3.13" in found.stderr and "WAYMARK_PYTHON" in found.stderr


def test_an_unsuitable_python_is_skipped(tmp_path: Path):
    # Version managers put such a shim first on the PATH.
    program(tmp_path / "shims/python3.11", "#!/bin/sh\nexit 127\n")
    fits = program(tmp_path / "bin/python3.11", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    found = run(ROOT / "scripts/find-python", PATH=f"{tmp_path}/shims:{tmp_path}/bin:{os.environ['PATH']}")
    assert found.stdout.strip() == str(fits)


def test_a_python_named_by_the_setting_must_be_suitable(tmp_path: Path):
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


def test_a_failed_install_is_repeated(tmp_path: Path):
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "requirements.lock").write_text("first\n")
    program(tmp_path / ".venv/bin/python", '#!/bin/sh\ntest "$1" = -c\n')
    for _ in range(2):
        failed = run(tmp_path / "scripts/setup", PATH=os.environ["PATH"])
        assert failed.returncode == 1 and "could not be installed" in failed.stderr


def checked(folder: Path, failing: str, *steps: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Runs scripts/check with a Python whose `-m FAILING` fails; returns its result and the commands it started."""
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    (folder / "requirements.lock").write_text("first\n")
    source = f'#!/bin/sh\ncase "$*" in "-m "*) echo "$*" >> "{folder}/calls" ;; esac\ntest "$*" != "-m {failing}"\n'
    program(folder / ".venv/bin/python", source)
    shutil.copy(folder / "requirements.lock", folder / ".venv/requirements.lock")
    environment = {"PATH": os.environ["PATH"]}
    command = [BASH, folder / "scripts/check", *steps]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    calls = folder / "calls"
    return done, calls.read_text().splitlines() if calls.exists() else []


ALL_STEPS = ["-m ruff check", "-m ruff format --check", "-m mypy", "-m tests.support.advisories"]


def test_check_runs_every_linter(tmp_path: Path):
    done, calls = checked(tmp_path, failing="nothing")
    assert (done.returncode, calls) == (0, ALL_STEPS), done.stderr


@pytest.mark.parametrize(
    ("failing", "step"),
    [
        ("ruff check", "lint"),
        ("ruff format --check", "format"),
        ("mypy", "types"),
        ("tests.support.advisories", "dependencies"),
    ],
)
def test_check_runs_on_after_a_failure_and_reports_it(tmp_path: Path, failing: str, step: str):
    done, calls = checked(tmp_path, failing)
    assert (done.returncode, calls) == (1, ALL_STEPS)
    assert done.stderr.splitlines()[-1] == f"scripts/check: failed: {step}"


def test_check_runs_the_steps_that_are_named(tmp_path: Path):
    done, calls = checked(tmp_path, "nothing", "types")
    assert (done.returncode, calls) == (0, ["-m mypy"])


def test_check_refuses_an_unknown_step(tmp_path: Path):
    done, calls = checked(tmp_path, "nothing", "lint", "speling")
    assert (done.returncode, calls) == (2, []) and "'speling'" in done.stderr


def test_continuous_integration_checks_before_it_tests():
    commands = re.findall(r"^scripts/\w+", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert commands == ["scripts/check", "scripts/test"]


def test_the_hooks_are_local_and_run_the_steps_of_check():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"^ *- repo: (.+)$", hooks, re.MULTILINE)) == {"local"}
    assert re.findall(r"^ *entry: (.+)$", hooks, re.MULTILINE) == [
        "scripts/check lint", "scripts/check format", "scripts/check types",
    ]  # fmt: skip
