"""Each case of two databases runs in `scripts/test` or in `scripts/test-long`, on each database half of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases import BACKENDS
from tests.support.one_database import database_of

ROOT = Path(__file__).parents[2]
HALVED, WHOLE = "tests/resolvers/evidence", "tests/authorization/test_unknown_ids.py"


def collected(marks: str) -> set[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-m", marks, HALVED, WHOLE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return {line for line in done.stdout.splitlines() if any(each in line for each in BACKENDS)}


def on_the_other(case: str) -> str:
    one, other = BACKENDS if BACKENDS[0] in case else reversed(BACKENDS)
    return case.replace(one, other)


def test_scripts_test_runs_half_of_the_cases_on_each_database_and_scripts_test_long_the_others():
    short, long = collected("not long"), collected("long")
    halved = {each for each in short if each.startswith(HALVED)}
    assert {on_the_other(each) for each in halved} == {each for each in long if each.startswith(HALVED)}
    for backend in BACKENDS:
        assert sum(backend in each for each in halved) > len(halved) / 4
    # Cases of scope run on both.
    assert (whole := short - halved) and {on_the_other(each) for each in whole} == whole


@pytest.mark.parametrize("number", range(3))
def test_a_case_stays_on_its_database(number: int):
    # CRC-32 is the same in each process and on each machine, which `hash` is not.
    assert database_of(f"tests/resolvers/test_example.py::test_it[*-{number}]") == BACKENDS[(1, 0, 1)[number]]
