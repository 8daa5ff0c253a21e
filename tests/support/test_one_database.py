"""Each case of two databases runs in `scripts/test` on one and in `scripts/test-long` on the other, file by file."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases import BACKENDS
from tests.support.one_database import database_of

ROOT = Path(__file__).parents[2]
HALVED, WHOLE = "tests/repositories", "tests/db/test_direct_statements.py"


PROGRAM = """
import sys, pytest

class Plugin:
    def pytest_collection_finish(self, session):
        for item in session.items:
            print("long" if item.get_closest_marker("long") else "short", item.nodeid)

sys.exit(pytest.main(["--collect-only", "-qq", "-n", "0", "-m", "", *sys.argv[1:]], [Plugin()]))
"""


def collected() -> dict[str, set[str]]:
    """The cases of two databases, by whether they are `short` or `long`."""
    command = [sys.executable, "-c", PROGRAM, HALVED, WHOLE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    found: dict[str, set[str]] = {"short": set(), "long": set()}
    for line in done.stdout.splitlines():
        length, _, case = line.partition(" ")
        if length in found and any(each in case for each in BACKENDS):
            found[length].add(case)
    return found


def on_the_other(case: str) -> str:
    one, other = BACKENDS if BACKENDS[0] in case else reversed(BACKENDS)
    return case.replace(one, other)


def test_scripts_test_runs_a_file_on_one_database_and_scripts_test_long_on_the_other():
    short, long = collected().values()
    halved = {each for each in short if each.startswith(HALVED)}
    assert {on_the_other(each) for each in halved} == {each for each in long if each.startswith(HALVED)}
    assert halved == {each for each in halved if database_of(each.partition("::")[0]) in each}
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    for backend in BACKENDS:
        assert sum(database_of(each) == backend for each in files) > len(files) / 3
    # Cases of what the databases do differently run on both.
    assert (whole := short - halved) and {on_the_other(each) for each in whole} == whole


@pytest.mark.parametrize("number", range(3))
def test_a_file_stays_on_its_database(number: int):
    # CRC-32 is the same in each process and on each machine, which `hash` is not.
    assert database_of(f"tests/resolvers/test_example_{number}.py") == BACKENDS[(1, 0, 0)[number]]
