"""Mutation testing of the code that decides who may read and do what.

`scripts/mutants` (`python -m tests.mutation_testing.mutants`) makes every mutant of the files in `PLANS`: an operator
reversed, a condition dropped, a role or a column exchanged. Each is run against its tests in a copy of the tree; one
that no test notices is a survivor, and is printed. The tree itself does not change.
"""

import argparse
import ast
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from tests.mutation_testing.equivalents import EQUIVALENT
from tests.mutation_testing.fast_mutant_check import NUMBERS, glance
from tests.mutation_testing.mutation_operators import Mutation, conditions, numbers, scoped, who_may

ROOT = Path(__file__).parents[2]
LONGEST = 600  # seconds; a mutant that runs on for ever is noticed too

_READS = (
    "tests/authorization/test_cross_tenant_rows.py",
    "tests/authorization/test_loader_probe.py",
    "tests/authorization/test_matrix.py",
    "tests/authorization/test_lists.py",
    "tests/authorization/test_exports_and_streams.py",
)
_WRITES = ("tests/authorization/test_permissions.py",)
_SCOPE = (*_READS, *_WRITES, "tests/authorization/test_random_worlds.py", "tests/authorization/test_revocation.py")


@dataclass(frozen=True)
class Mutant:
    """One broken version of a file."""

    path: str
    line: int
    what: str
    source: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.what}"


PLANS: dict[str, tuple[Callable[[ast.AST], Iterator[Mutation]], tuple[str, ...]]] = {
    "auth/scope.py": (conditions, _SCOPE),
    "auth/policy.py": (who_may, _WRITES),
    "repositories/scoped.py": (conditions, (*_WRITES, "tests/repositories/test_scoped.py")),
    "domain/progress.py": (numbers, NUMBERS),
    "domain/off_the_job.py": (numbers, NUMBERS),
    **{f"loaders/{path.name}": (scoped, _SCOPE) for path in sorted((ROOT / "loaders").glob("*.py"))},
}


def mutants_of(path: str) -> list[Mutant]:
    """Every mutant of a file."""
    makes, tests = PLANS[path]
    source = (ROOT / path).read_text(encoding="utf-8")
    tree, found, whole = ast.parse(source), {}, ast.unparse(ast.parse(source))
    for line, what, do, undo in list(makes(tree)):
        do()
        broken = ast.unparse(ast.fix_missing_locations(tree))
        undo()
        if broken != whole:
            found.setdefault(broken, Mutant(path, line, what, broken, tests))
    return sorted(found.values(), key=lambda mutant: mutant.line)


def copy_of_tree(folder: Path) -> Path:
    """What the tests need of the tree, without what it makes."""
    ignored = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".pytest_cache", ".ruff_cache", "*.db")
    return shutil.copytree(ROOT, folder, ignore=ignored)


def noticed(mutant: Mutant, copy: Path, which: str = "sqlite or not postgresql") -> bool:
    """Whether a test fails with the mutant in place."""
    original = (copy / mutant.path).read_text(encoding="utf-8")
    (copy / mutant.path).write_text(mutant.source, encoding="utf-8")
    tests = [test for test in mutant.tests if (copy / test).exists()]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", "-k", which, *tests]
    # Bytecode of the original, written in the same second, would be taken for the mutant's.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=LONGEST, check=False)
        return ran.returncode != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        (copy / mutant.path).write_text(original, encoding="utf-8")


def survivors(mutants: list[Mutant], workers: int) -> list[Mutant]:
    """Those that no test notices."""
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants:
        waiting.put(mutant)
    left: list[Mutant] = []
    with tempfile.TemporaryDirectory() as folder, tqdm(total=len(mutants), unit="mutant") as bar:

        def work(number: int) -> None:
            copy = copy_of_tree(Path(folder) / str(number))
            while True:
                try:
                    mutant = waiting.get_nowait()
                except queue.Empty:
                    return
                if not noticed(mutant, copy):
                    left.append(mutant)
                    tqdm.write(f"survived: {mutant}")
                bar.update()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return left


def first_look(mutants: list[Mutant], workers: int) -> list[Mutant]:
    """Those that are still to be run: most are noticed without a run of pytest each."""
    left, waiting, looking = [], mutants[::-1], {}
    with glance(PLANS) as looked, tqdm(total=len(mutants), unit="first look") as bar:
        while waiting or looking:
            while waiting and len(looking) < workers:
                mutant = waiting.pop()
                looking[looked.look((mutant.path, mutant.source))] = mutant
            child, status = os.wait()
            mutant = looking.pop(child)
            if status == 0:
                left.append(mutant)
                tqdm.write(f"to be run: {mutant}")
            bar.update()
    return left


def without_equivalents(mutants: list[Mutant]) -> list[Mutant]:
    """Those that mean something else than the source. Raises where one is listed that is not there."""
    known = {(mutant.path, mutant.what) for mutant in mutants}
    paths = {mutant.path for mutant in mutants}
    gone = [one for one in EQUIVALENT if one[0] in paths and one not in known]
    if gone:
        raise LookupError(f"no mutants any more: take them out of tests/mutation_testing/equivalents.py: {gone}")
    return [mutant for mutant in mutants if (mutant.path, mutant.what) not in EQUIVALENT]


def main() -> int:
    parser = argparse.ArgumentParser(description="Breaks scope and policy one place at a time: every test must notice.")
    parser.add_argument("paths", nargs="*", help="of these files only")
    parser.add_argument("--list", action="store_true", help="print the mutants and run none")
    parser.add_argument("--glance", action="store_true", help="no more than the first look")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    mutants = [mutant for path in asked.paths or PLANS for mutant in mutants_of(path)]
    if asked.list:
        print(*mutants, f"{len(mutants)} mutants", sep="\n")
        return 0
    left = first_look(telling := without_equivalents(mutants), asked.workers)
    print(f"{len(telling)} mutants, {len(telling) - len(left)} noticed at the first look")
    if not asked.glance:
        left = survivors(left, asked.workers)
    print(
        f"{len(mutants)} mutants, equivalent: {len(mutants) - len(telling)}, "
        f"noticed: {len(telling) - len(left)}, survived: {len(left)}"
    )
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
