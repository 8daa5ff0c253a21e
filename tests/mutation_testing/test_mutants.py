"""The tool that breaks the source, `scripts/mutants`: its run takes long, so that it is none of these tests."""

import ast

import pytest

from tests.mutation_testing.equivalents import EQUIVALENT
from tests.mutation_testing.mutants import PLANS, mutants_of, without_equivalents
from tests.mutation_testing.mutation_operators import scoped

SOURCE = """
def read(role):
    seen = scope.sees_learner(role, Learner.id), scope.of_provider(Learner)
    return select(Learner.id).where(among(Learner.id), scope.sees_learner(role, Learner.id), scope.of_provider(Learner))
"""


def test_what_is_listed_as_meaning_the_same_is_a_mutant() -> None:
    mutants = [mutant for path in dict.fromkeys(path for path, _ in EQUIVALENT) for mutant in mutants_of(path)]
    assert len(mutants) - len(without_equivalents(mutants)) == len(EQUIVALENT)


def test_one_that_is_listed_and_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EQUIVALENT, ("auth/policy.py", "without anything"), "is no mutant")
    with pytest.raises(LookupError, match="without anything"):
        without_equivalents(mutants_of("auth/policy.py"))


def test_each_condition_is_dropped_by_itself_and_put_back() -> None:
    tree = ast.parse(SOURCE)
    whole, broken = ast.unparse(tree), []
    for _, _, do, undo in scoped(tree):
        do()
        broken.append(ast.unparse(tree))
        undo()
        assert ast.unparse(tree) == whole
    assert [source.count("sees_learner") for source in broken] == [1, 1]
    assert broken[0] != broken[1]


@pytest.mark.parametrize("path", [path for path in PLANS if path.startswith("auth/")])
def test_no_two_mutants_are_one(path: str) -> None:
    mutants = mutants_of(path)
    assert len({mutant.source for mutant in mutants}) == len(mutants) > 100
