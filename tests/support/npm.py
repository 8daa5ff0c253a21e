"""Installs the packages of a package-lock.json for a test, or skips the test with the reason."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest


def node_is_missing() -> bool:
    """Returns whether Node 20 or later, or npm, is not installed."""
    if not (shutil.which("node") and shutil.which("npm")):
        return True
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return int(version.removeprefix("v").partition(".")[0] or 0) < 20


def installed_packages(folder: Path) -> Path:
    """Returns node_modules of a folder; its packages are installed again when the lock file changes."""
    if node_is_missing():
        pytest.skip("Node 20 with npm is not installed, so what needs its packages is not tested (Debian: nodejs npm)")
    locked = (folder / "package-lock.json").read_bytes()
    node_modules = folder / "node_modules"
    stamp = node_modules / "installed-lock.json"
    # Only one test process at a time installs them.
    with (folder / "node_modules.lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_bytes() == locked):
            command = "npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error"
            installation = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True)
            if installation.returncode:
                reason = (installation.stderr.strip().splitlines() or ["npm printed nothing"])[0]
                pytest.skip(
                    f"npm cannot install the packages of {folder.name} ({reason}), so what needs them is not tested"
                )
            stamp.write_bytes(locked)
    return node_modules
