"""Which tests of two databases run on only one of them in `scripts/test`.

Nearly all of them check rules that are above the SQL. Those of a file therefore run on one of the two databases, of
half of the files on each, and `scripts/test-long` runs the other halves. What a file's tests share is so made once.
Cases of the folders of `_ON_BOTH`, where the databases differ, run on both, and so do those of which a test says itself
what is long.
"""

import re
from collections.abc import Iterable
from zlib import crc32

import pytest

from tests.support.databases import BACKENDS

_ON_BOTH = tuple(f"tests/{folder}/" for folder in ("db", "system/faults", "system/scaling"))
_BACKEND = re.compile(rf"(?<=[\[-])({'|'.join(BACKENDS)})(?=[\]-])")


def mark_second_databases(items: Iterable[pytest.Item]) -> None:
    """Gives the marks `long` and `second_database` to each case that runs in `scripts/test` on the other database."""
    cases: dict[str, dict[str, pytest.Item]] = {}
    for item in items:
        if not item.nodeid.startswith(_ON_BOTH) and (found := _BACKEND.search(item.nodeid)):
            cases.setdefault(_BACKEND.sub("*", item.nodeid, count=1), {})[found[1]] = item
    for case, by_backend in cases.items():
        if len(by_backend) == len(BACKENDS) and not any(
            each.get_closest_marker("long") for each in by_backend.values()
        ):
            for backend in set(BACKENDS) - {database_of(case.partition("::")[0])}:
                by_backend[backend].add_marker(pytest.mark.long)
                by_backend[backend].add_marker(pytest.mark.second_database)


def database_of(file: str) -> str:
    """Returns the database on which `scripts/test` runs a file. `file`: its path from the top of the repository."""
    return BACKENDS[crc32(file.encode()) % len(BACKENDS)]
