"""What is mutated: the files, how each is changed, and the tests that judge its mutants."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation_testing.mutation_operators import Mutation, conditions, numbers, permissions, scoped

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Plan:
    """How a file is mutated. `tests` run one file after another, the most likely first, until one fails.

    `alone`: tests of the file that need no scenario, or a small one. They judge each mutant first, in a forked process.
    Without them, the fast check of the scope does.
    """

    operators: Callable[[ast.AST], Iterator[Mutation]]
    tests: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


_READS = (
    "tests/authorization/test_row_provider.py",
    "tests/authorization/test_visible_managers.py",
    "tests/authorization/test_cross_tenant_rows.py",
    "tests/authorization/test_loader_probe.py",
    "tests/authorization/test_matrix.py",
    "tests/authorization/test_lists.py",
    "tests/authorization/test_exports_and_streams.py",
)
_WRITES = ("tests/authorization/test_permissions.py",)
_SCOPE = (*_READS, *_WRITES, "tests/authorization/test_random_rows.py", "tests/authorization/test_revocation.py")
# Those that need no database; the scenario of the facts is judged by the second.
_RULES = tuple(f"tests/resolvers/rules/test_{name}.py" for name in ("aim", "evidence", "session", "signature", "user"))
_ACTIONS = ("tests/resolvers/rules", "tests/authorization/test_viewer_actions.py")
_DUTIES = ("tests/resolvers/test_separation_of_duties.py",)
_KPIS = ("tests/loaders/test_kpis.py",)


def _of_package(folder: str, plan: Plan) -> dict[str, Plan]:
    return {f"{folder}/{path.name}": plan for path in sorted((ROOT / folder).glob("*.py"))}


PLANS: dict[str, Plan] = {
    # Who sees and does what.
    "auth/scope.py": Plan(conditions, _SCOPE),
    "auth/audience.py": Plan(conditions, _SCOPE),
    "auth/policy.py": Plan(permissions, _WRITES),
    "repositories/scoped.py": Plan(conditions, _WRITES, ("tests/repositories/test_scoped.py",)),
    **_of_package("loaders", Plan(scoped, _SCOPE)),
    # What a record's state allows, and what one person may not be.
    **_of_package("resolvers/rules", Plan(numbers, _ACTIONS, _RULES)),
    "resolvers/core/signatures.py": Plan(numbers, (*_ACTIONS, "tests/resolvers/test_unit.py"), _RULES),
    "auth/separation_of_duties.py": Plan(numbers, _DUTIES, _RULES),
    "resolvers/core/separation_of_duties.py": Plan(numbers, _DUTIES, _RULES),
    "auth/wrong_keys.py": Plan(numbers, alone=("tests/auth/test_wrong_keys.py",)),
    # The rules behind the numbers.
    "domain/progress.py": Plan(numbers, _KPIS, ("tests/domain/test_progress.py", "tests/domain/test_breaks.py")),
    "domain/off_the_job.py": Plan(numbers, _KPIS, ("tests/domain/test_off_the_job.py",)),
    "domain/breaks.py": Plan(numbers, _KPIS, ("tests/domain/test_breaks.py",)),
    "domain/reviews.py": Plan(numbers, _KPIS, ("tests/domain/test_reviews.py",)),
    "domain/sampling.py": Plan(numbers, ("tests/resolvers/sampling",), ("tests/domain/test_sampling.py",)),
    "domain/network.py": Plan(numbers, alone=("tests/domain/test_network.py", "tests/services/push/test_addresses.py")),
    "services/progress.py": Plan(numbers, alone=("tests/services/test_progress.py",)),
}
