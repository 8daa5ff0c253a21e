"""The folders of reports: of their user alone, gone afterwards, with what killed processes left."""

import os
import stat
import tempfile
import time
from pathlib import Path

import pytest

from services.exports.report_folder import report_folder


def test_a_folder_and_what_was_left_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, other, fresh = tmp_path / "waymark-report-left", tmp_path / "other", tmp_path / "waymark-report-fresh"
    for folder in (left, other, fresh):
        folder.mkdir()
        (folder / "report").write_text("rows")
    hours_ago = time.time() - 2 * 3600
    for folder in (left, other):
        os.utime(folder, (hours_ago, hours_ago))
    with pytest.raises(RuntimeError):
        with report_folder() as made:
            (made / "report").write_text("rows")
            assert stat.S_IMODE(made.stat().st_mode) == 0o700
            raise RuntimeError
    assert sorted(tmp_path.iterdir()) == [other, fresh]
