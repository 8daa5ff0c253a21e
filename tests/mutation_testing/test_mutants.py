"""The tool of mutation testing. A run over all mutants takes long and is not part of the tests: `scripts/mutants`."""

import ast
import re
import subprocess
import sys

import pytest

from tests.mutation_testing.equivalents import EQUIVALENT
from tests.mutation_testing.fast_mutant_check import CASES
from tests.mutation_testing.mutants import mutants_of, without_equivalents
from tests.mutation_testing.mutation_operators import scoped
from tests.mutation_testing.plans import ROOT

SOURCE = """
def read(role):
    seen = scope.sees_learner(role, Learner.id), scope.of_provider(Learner)
    return select(Learner.id).where(among(Learner.id), scope.sees_learner(role, Learner.id), scope.of_provider(Learner))
"""


def test_every_listed_equivalent_is_a_mutant() -> None:
    mutants = [mutant for path in dict.fromkeys(path for path, _ in EQUIVALENT) for mutant in mutants_of(path)]
    assert len(mutants) - len(without_equivalents(mutants)) == len(EQUIVALENT)


def test_a_listed_equivalent_that_is_no_mutant_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EQUIVALENT, ("auth/policy.py", "without anything"), "is no mutant")
    with pytest.raises(LookupError, match="without anything"):
        without_equivalents(mutants_of("auth/policy.py"))


def test_each_condition_is_dropped_alone_and_restored() -> None:
    tree = ast.parse(SOURCE)
    whole, broken = ast.unparse(tree), []
    for _, _, do, undo in scoped(tree):
        do()
        broken.append(ast.unparse(tree))
        undo()
        assert ast.unparse(tree) == whole
    assert [source.count("sees_learner") for source in broken] == [1, 1]
    assert broken[0] != broken[1]


@pytest.mark.parametrize("path", ["auth/policy.py", pytest.param("auth/scope.py", marks=pytest.mark.long)])
def test_mutants_are_distinct(path: str) -> None:
    mutants = mutants_of(path)
    assert len({mutant.source for mutant in mutants}) == len(mutants) > 100


@pytest.mark.long
def test_each_case_of_sqlite_is_run() -> None:
    """Also one that scripts/test runs on PostgreSQL only: half of a file's cases would detect half of its mutants."""
    path = "tests/repositories/test_scoped.py"
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *CASES, path]
    collected = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    names = re.findall(r"^(?:async )?def (test_\w+)\(.*database: Database", (ROOT / path).read_text(), re.MULTILINE)
    assert names and all(f"{path}::{name}[sqlite]" in collected for name in names)
    assert "[postgresql]" not in collected


SWAP = """
from pathlib import Path
from domain.enums import Role
from resolvers.rules import signature_request, user
from tests.mutation_testing.code_swap import swap_code

def swapped(path, old, new):
    source = Path(path).read_text()
    assert old in source
    return swap_code(path, source.replace(old, new))

rule, fact = signature_request.REQUEST._checks["signatureRequestCancel"], signature_request.REQUEST.facts["of_review"]
assert swapped("resolvers/rules/signature_request.py", 'say("DOCUMENT_OF_REVIEW")', 'say("REQUEST_COMPLETE")')
[error] = rule(None, signature_request.RequestState(1, None), of_review=True)
assert error.message.reason == "REQUEST_COMPLETE"
assert signature_request.REQUEST.facts["of_review"] is fact
# A constant, and another that is made of it.
assert swapped("resolvers/rules/user.py", "Role.ASSESSOR: frozenset({Role.LEARNER})", "Role.IQA: frozenset({Role.IQA})")
assert user._CORRECTED_BY[Role.IQA] == user._INVITED_BY[Role.IQA] == {Role.IQA}
# The default of an argument.
assert not swapped("resolvers/core/signatures.py", "by_guest: bool = False", "by_guest: bool = True")
"""


def test_a_loaded_module_gets_the_changed_code() -> None:
    subprocess.run([sys.executable, "-c", SWAP], cwd=ROOT, check=True)


@pytest.mark.long
def test_the_tests_of_a_file_alone_judge_its_mutants() -> None:
    command = [sys.executable, "-m", "tests.mutation_testing.mutants", "--fast-only", "domain/sampling.py"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert re.search(r"^([1-9]\d*) mutants, equivalent: 0, detected: \1, survived: 0$", ran.stdout, re.MULTILINE)
