"""Compares requirements.lock with a list of known vulnerabilities that the repository keeps, without a network.

`python -m tests.support.advisories` checks; with `--renew FOLDER` it writes the list again, from OSV's export for PyPI.
"""

import argparse
import datetime as dt
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK, LIST = ROOT / "requirements.lock", ROOT / "requirements.advisories.json"
# A list that is older is still checked, with a warning.
MAX_AGE = dt.timedelta(days=90)
OSV = "OSV"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.M)


@dataclass(frozen=True, order=True)
class Advisory:
    """A vulnerability of the versions from `introduced`, or all, up to but not including `fixed`, or all later ones."""

    package: str
    id: str
    introduced: str | None
    fixed: str | None
    source: str

    def concerns(self, version: str) -> bool:
        """Returns whether a version has the vulnerability."""
        found = Version(version)
        is_before_fix = self.fixed is None or found < Version(self.fixed)
        return is_before_fix and (self.introduced is None or found >= Version(self.introduced))


def pinned(lock: str) -> dict[str, str]:
    """Returns the version of each package of a lock file."""
    return {canonicalize_name(name): version for name, version in _PINNED.findall(lock)}


def read_list(path: Path = LIST) -> tuple[dt.date, list[Advisory]]:
    """Returns the date of the list and its advisories."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return dt.date.fromisoformat(stored["date"]), [Advisory(**each) for each in stored["advisories"]]


def findings(lock: str, advisories: Iterable[Advisory]) -> list[str]:
    """Returns a line for each version of the lock that has a known vulnerability."""
    versions = pinned(lock)
    return [
        f"{each.package} {versions[each.package]}: {each.id}, {f'fixed in {each.fixed}' if each.fixed else 'not fixed'}"
        for each in sorted(advisories, key=lambda each: (each.package, each.id))
        if each.package in versions and each.concerns(versions[each.package])
    ]


def advisories_of(folder: Path, packages: Collection[str]) -> Iterator[Advisory]:
    """Yields the advisories about packages in a folder of OSV's files, one JSON file each."""
    for path in sorted(folder.rglob("*.json")):
        entry = json.loads(path.read_text(encoding="utf-8"))
        if "withdrawn" in entry:
            continue
        for affected in entry.get("affected", ()):
            package = affected.get("package", {})
            name = canonicalize_name(package.get("name", ""))
            if package.get("ecosystem") == "PyPI" and name in packages:
                for introduced, fixed in _ranges(affected):
                    yield Advisory(name, entry["id"], introduced, fixed, OSV)


def _ranges(affected: dict[str, Any]) -> Iterator[tuple[str | None, str | None]]:
    for one in affected.get("ranges", ()):
        if one["type"] != "ECOSYSTEM":
            continue
        introduced, is_open = None, False
        for event in one["events"]:
            if "introduced" in event:
                introduced = None if event["introduced"] == "0" else _version(event["introduced"])
                is_open = True
            elif "fixed" in event:
                yield introduced, _version(event["fixed"])
                is_open = False
        if is_open:
            yield introduced, None


def _version(text: str) -> str:
    return str(Version(text))


def write_list(advisories: Iterable[Advisory], date: dt.date, path: Path = LIST) -> None:
    """Writes a list, with one advisory a line."""
    lines = ",\n".join(json.dumps(asdict(each)) for each in advisories)
    path.write_text(f'{{"date": "{date}", "advisories": [\n{lines}\n]}}\n', encoding="utf-8")


def renew(folder: Path, date: dt.date, path: Path = LIST) -> int:
    """Writes the list again; advisories from other sources stay. Returns how many there are."""
    others = [each for each in (read_list(path)[1] if path.exists() else []) if each.source != OSV]
    found = sorted(
        {*others, *advisories_of(folder, pinned(LOCK.read_text()))}, key=lambda each: (each.package, each.id)
    )
    write_list(found, date, path)
    return len(found)


def main() -> int:
    """Checks, or renews the list; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renew", type=Path, metavar="FOLDER", help="OSV's export for PyPI, unpacked")
    parser.add_argument("--date", type=dt.date.fromisoformat, help="the date of that export (default: today)")
    arguments = parser.parse_args()
    today = dt.datetime.now(dt.UTC).date()
    if arguments.renew is not None:
        print(f"{renew(arguments.renew, arguments.date or today)} advisories.")
        return 0
    date, advisories = read_list()
    found = findings(LOCK.read_text(), advisories)
    print(*found, sep="\n", end="\n" if found else "")
    if today - date > MAX_AGE:
        print(f"The list of advisories is of {date}: renew it, or run scripts/dependencies --online.", file=sys.stderr)
    if not found:
        print(f"{len(pinned(LOCK.read_text()))} packages, {len(advisories)} advisories: none of them applies.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
