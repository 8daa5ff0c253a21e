"""Mutation testing of the permissions, of the rules of records and of those behind the numbers.

`scripts/mutants` (`python -m tests.mutation_testing.mutants`) generates every mutant of the files in `PLANS`: an
operator reversed, a condition dropped, a role or a column exchanged. The tests of the file run against each mutant in a
copy of the tree. A mutant that no test detects is a survivor, and is printed. The tree itself does not change.
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
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from tests.mutation_testing.equivalents import EQUIVALENT
from tests.mutation_testing.fast_mutant_check import CASES, fast_check
from tests.mutation_testing.plans import PLANS, ROOT


@dataclass(frozen=True)
class Mutant:
    """A file with one deliberate error. `what`: the change; `source`: the changed source.

    `tests`: the paths to run, one after another until one fails.
    """

    path: str
    line: int
    what: str
    source: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.what}"


def mutants_of(path: str) -> list[Mutant]:
    """Returns every distinct mutant of a file, by line."""
    plan = PLANS[path]
    source = (ROOT / path).read_text(encoding="utf-8")
    tree, found, whole = ast.parse(source), {}, ast.unparse(ast.parse(source))
    for line, what, do, undo in list(plan.operators(tree)):
        do()
        mutated = ast.unparse(ast.fix_missing_locations(tree))
        undo()
        if mutated != whole:
            found.setdefault(mutated, Mutant(path, line, what, mutated, plan.alone + plan.tests))
    return sorted(found.values(), key=lambda mutant: mutant.line)


def copy_of_tree(folder: Path) -> Path:
    """Copies the files that the tests need, without caches and data. Returns the folder."""
    ignored = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".pytest_cache", ".ruff_cache", "*.db")
    return shutil.copytree(ROOT, folder, ignore=ignored)


def tests_pass(tests: tuple[str, ...], copy: Path, timeout: float) -> bool:
    """Runs the tests on SQLite, a path at a time. Raises subprocess.TimeoutExpired after `timeout` seconds for one.

    One process would run them in the order of tests/conftest.py, which has the longest first.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    # Bytecode of the original of the same second would be used for the mutant.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return all(
        subprocess.run(
            [*command, *CASES, path],
            cwd=copy, env=environment, capture_output=True, timeout=timeout, check=False,
        ).returncode
        == 0
        for path in tests
    )  # fmt: skip


def survives(mutant: Mutant, copy: Path, timeout: float) -> bool:
    """Returns whether all tests pass with the mutant. A mutant that exceeds the timeout is printed and is detected."""
    original = (copy / mutant.path).read_text(encoding="utf-8")
    (copy / mutant.path).write_text(mutant.source, encoding="utf-8")
    try:
        return tests_pass(mutant.tests, copy, timeout)
    except subprocess.TimeoutExpired:
        tqdm.write(f"timeout: {mutant}")
        return False
    finally:
        (copy / mutant.path).write_text(original, encoding="utf-8")


def survivors(mutants: list[Mutant], workers: int, timeout: float) -> list[Mutant]:
    """Returns the mutants that no test detects. Raises RuntimeError if a test fails without a mutant.

    `workers`: how many run at once; `timeout`: seconds for each.
    """
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants:
        waiting.put(mutant)
    left: list[Mutant] = []
    with tempfile.TemporaryDirectory() as folder, tqdm(total=len(mutants), unit="mutant") as bar:
        copies = [copy_of_tree(Path(folder) / str(number)) for number in range(workers)]
        for tests in dict.fromkeys(mutant.tests for mutant in mutants):
            if not tests_pass(tests, copies[0], timeout * 10):
                raise RuntimeError(f"the unchanged source does not pass: {' '.join(tests)}")

        def work(copy: Path) -> None:
            while True:
                try:
                    mutant = waiting.get_nowait()
                except queue.Empty:
                    return
                if survives(mutant, copy, timeout):
                    left.append(mutant)
                    tqdm.write(f"survived: {mutant}")
                bar.update()

        threads = [threading.Thread(target=work, args=(copy,)) for copy in copies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return left


def fast_survivors(mutants: list[Mutant], workers: int) -> list[Mutant]:
    """Returns the mutants that the fast check does not detect, or not in its time."""
    left, waiting, running = [], mutants[::-1], {}
    with (
        fast_check(list(dict.fromkeys(mutant.path for mutant in mutants))) as check,
        tqdm(total=len(mutants), unit="mutant") as bar,
    ):
        while waiting or running:
            while waiting and len(running) < workers:
                mutant = waiting.pop()
                running[check.start((mutant.path, mutant.source))] = mutant
            child, status = os.wait()
            mutant = running.pop(child)
            if status == 0 or os.WIFSIGNALED(status):
                left.append(mutant)
                tqdm.write(f"not detected by the fast check: {mutant}")
            bar.update()
    return left


def without_equivalents(mutants: list[Mutant]) -> list[Mutant]:
    """Returns the mutants that are not listed as equivalent. Raises LookupError if a listed one is no mutant."""
    known = {(mutant.path, mutant.what) for mutant in mutants}
    paths = {mutant.path for mutant in mutants}
    unknown = [one for one in EQUIVALENT if one[0] in paths and one not in known]
    if unknown:
        raise LookupError(f"no longer mutants, remove them from tests/mutation_testing/equivalents.py: {unknown}")
    return [mutant for mutant in mutants if (mutant.path, mutant.what) not in EQUIVALENT]


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Changes scope, policy and rules one place at a time: a test must fail for each change."
    )
    parser.add_argument("paths", nargs="*", help="only the mutants of these files")
    parser.add_argument("--list", action="store_true", help="print the mutants and run none")
    parser.add_argument("--fast-only", action="store_true", help="run the fast check only")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many run at once (CPU cores)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for a test file of a mutant (600)")
    options = parser.parse_args()
    mutants = [mutant for path in options.paths or PLANS for mutant in mutants_of(path)]
    if options.list:
        print(*mutants, f"{len(mutants)} mutants", sep="\n")
        return 0
    left = fast_survivors(tested := without_equivalents(mutants), options.workers)
    print(f"{len(tested)} mutants, {len(tested) - len(left)} detected by the fast check")
    if not options.fast_only:
        left = survivors(left, options.workers, options.timeout)
    print(
        f"{len(mutants)} mutants, equivalent: {len(mutants) - len(tested)}, "
        f"detected: {len(tested) - len(left)}, survived: {len(left)}"
    )
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
