"""The check of dependencies for known vulnerabilities, without a network."""

import datetime as dt
import json
from pathlib import Path

import pytest

from tests.support import advisories
from tests.support.advisories import LIST, LOCK, Advisory, advisories_of, findings, pinned, read_list

ADVISORY = Advisory("starlette", "CVE-1", "0.39.0", "0.49.1", "test")


def test_no_version_of_the_lock_has_a_known_vulnerability() -> None:
    _, known = read_list()
    assert findings(LOCK.read_text(), known) == []
    assert len(pinned(LOCK.read_text())) > 100 and len(known) > 50


@pytest.mark.parametrize(
    ("version", "is_found"),
    [("0.38.6", False), ("0.39.0", True), ("0.49.0", True), ("0.49.1", False), ("1.10.0", False)],
)
def test_a_version_in_a_listed_range_is_found(version: str, is_found: bool) -> None:
    lock = (
        f"anyio==4.0.0 \\\n    --hash=sha256:0\nStarlette=={version} ; python_version > '3' \\\n    --hash=sha256:0\n"
    )
    assert findings(lock, [ADVISORY]) == ([f"starlette {version}: CVE-1, fixed in 0.49.1"] if is_found else [])


def test_the_check_fails_and_says_that_the_list_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "list.json"
    advisories.write_list([Advisory("starlette", "CVE-2", None, None, "test")], dt.date(2020, 1, 1), path)
    monkeypatch.setattr(advisories, "read_list", lambda: read_list(path))
    monkeypatch.setattr("sys.argv", ["advisories"])
    assert advisories.main() == 1
    printed = capsys.readouterr()
    assert "CVE-2, not fixed" in printed.out and "2020-01-01: renew it" in printed.err


def test_the_list_is_written_again_from_the_export(tmp_path: Path) -> None:
    def entry(name: str, ecosystem: str, events: list[dict[str, str]], **more: str) -> dict[str, object]:
        ranges = [{"type": "ECOSYSTEM", "events": events}, {"type": "GIT", "events": [{"introduced": "0"}]}]
        return {"id": name, "affected": [{"package": {"name": name, "ecosystem": ecosystem}, "ranges": ranges}], **more}

    twice = [{"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}, {"fixed": "2.1"}]
    for number, each in enumerate(
        [
            entry("PyJWT", "PyPI", twice), entry("starlette", "npm", twice), entry("unknown", "PyPI", twice),
            entry("httptools", "PyPI", [{"introduced": "1.5"}]), entry("idna", "PyPI", twice, withdrawn="2026-01-01"),
        ]
    ):  # fmt: skip
        (tmp_path / f"{number}.json").write_text(json.dumps(each))
    found = {(each.package, each.introduced, each.fixed) for each in advisories_of(tmp_path, pinned(LOCK.read_text()))}
    assert found == {("pyjwt", None, "1.0"), ("pyjwt", "2.0", "2.1"), ("httptools", "1.5", None)}
    path = tmp_path / "list.json"
    advisories.write_list([ADVISORY], dt.date(2020, 1, 1), path)
    assert advisories.renew(tmp_path, dt.date(2026, 11, 1), path) == 4
    date, kept = read_list(path)
    assert date == dt.date(2026, 11, 1) and ADVISORY in kept and LIST.exists()
