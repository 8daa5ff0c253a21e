"""The folders of exports and reports: of their user alone, gone afterwards, with what killed processes left."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from db.database import Database
from db.worker_process import worker_environment
from services.exports.own_folder import EXPORT, REPORT, STALE_SECONDS, OwnFolder, remove_left_folders
from services.storage.file_store import open_store
from services.sweeper import Sweeper

# A process that makes a folder, writes to it, and waits until it is killed.
_PROGRAM = """
import sys
from services.exports.own_folder import OwnFolder
folder = OwnFolder(sys.argv[1])
(folder.path / "below").mkdir()
(folder.path / "below" / "export").write_text("rows")
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def make_old(*paths: Path) -> None:
    long_ago = time.time() - STALE_SECONDS - 60
    for path in paths:
        os.utime(path, (long_ago, long_ago), follow_symlinks=False)


def test_a_folder_is_of_its_user_alone_and_gone_afterwards(parent: Path) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    with pytest.raises(RuntimeError):
        with OwnFolder(REPORT) as made:
            (made / "report").write_text("rows")
            assert stat.S_IMODE(made.stat().st_mode) == 0o700
            raise RuntimeError
    assert list(parent.iterdir()) == [] and len(os.listdir("/proc/self/fd")) == descriptors


@pytest.mark.parametrize("prefix", [EXPORT, REPORT])
def test_what_a_killed_process_left_is_removed(parent: Path, prefix: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, prefix], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**worker_environment(), "TMPDIR": str(parent)},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            folder = Path(process.stdout.readline().strip())
            below = folder / "below"
            make_old(below / "export", below, folder)
            # However old, it is of a process that lives: that of an idle worker is written to by nobody.
            assert remove_left_folders() == 0 and folder.exists()
        finally:
            process.kill()
    for written in (below / "export", below, folder):
        os.utime(written)
        assert remove_left_folders() == 0 and folder.exists()
        make_old(below / "export", below, folder)
    assert remove_left_folders() == 1
    assert list(parent.iterdir()) == []


def test_nothing_else_is_removed(parent: Path) -> None:
    elsewhere, other, file = parent / "elsewhere", parent / "other", parent / f"{EXPORT}file"
    link = parent / f"{EXPORT}link"
    for folder in (elsewhere, other):
        folder.mkdir()
        (folder / "rows").write_text("rows")
    file.write_text("rows")
    link.symlink_to(elsewhere)
    make_old(elsewhere / "rows", elsewhere, other / "rows", other, file, link)
    before = sorted(parent.rglob("*"))
    assert remove_left_folders() == 0
    assert sorted(parent.rglob("*")) == before


def test_a_folder_of_another_user_is_left_to_them(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (left := parent / f"{EXPORT}left").mkdir()
    make_old(left)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert remove_left_folders() == 0 and left.exists()
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(parent))
    assert remove_left_folders() == 1


async def test_the_sweeper_removes_them(parent: Path, database: Database) -> None:
    (left := parent / f"{EXPORT}left").mkdir()
    with OwnFolder(EXPORT) as used, capture_logs() as logs:
        make_old(left, used)
        await Sweeper(database, open_store(parent / "files")).sweep()
        assert not left.exists() and used.exists()
    assert [line["folders"] for line in logs if line["event"] == "abandoned_folders_removed"] == [1]
