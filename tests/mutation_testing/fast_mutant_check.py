"""A fast check of mutants: for each mutant a process with the test data in memory is forked, which takes seconds.

A mutant that passes here is run again with all its tests (`tests/mutation_testing/mutants.py`), because values that a
class read when it was created are not mutated here.
"""

import ast
import asyncio
import importlib
import os
import pickle
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import structlog

from db.database import Database
from db.migrate import migrate
from domain import clock
from domain.enums import Role
from tests.authorization import each_condition, loader_probe
from tests.authorization.cross_tenant_rows import USERS_WITH_A_FOREIGN_SITE, build_with_cross_tenant_rows
from tests.authorization.oracle import Visibility, visible_rows
from tests.authorization.permissions import AUTHENTICATION, COLUMNS, ROW_OF, grantable, may
from tests.authorization.rows import Rows, read_rows, replace_rows
from tests.authorization.viewer_crawler import ViewerCrawler, leaks, node_mismatches, unreachable
from tests.mutation_testing.code_swap import swap_code
from tests.mutation_testing.plans import PLANS, ROOT
from tests.support.scenarios.authorization import (
    ONE_OF_EACH,
    STAFF,
    VIEWERS,
    AuthorizationScenario,
)

# Seconds of CPU time for one mutant, so that a busy machine does not matter; and of real time, for one that waits.
CPU_TIMEOUT, TIMEOUT = 300, 3600
POLICY, AUDIENCE = "auth/policy.py", "auth/audience.py"
CONDITIONS = {"auth/scope.py", AUDIENCE}
PACKAGES = ("auth.", "db.", "domain.", "loaders.", "resolvers.", "schema.")
# All cases of SQLite, also those that scripts/test runs on PostgreSQL only.
CASES = ("-m", "long or not long", "-k", "sqlite or not postgresql")

# All viewers, one of each role first.
_ORDER = sorted([*VIEWERS, ("oz", Role.LEARNER)], key=lambda viewer: viewer not in ONE_OF_EACH)
# Without the users of the far provider: their visible rows refer to users of this one, so they cannot be reduced.
_OF_THIS_PROVIDER = [viewer for viewer in _ORDER if viewer[0] in STAFF or viewer[0] in ("ada", "eve")]


class FastCheck:
    """Runs the fast checks in a child process with changed sources. Each change is a pair of path and source.

    `paths`: the files that are changed. The scenario is built only if one of them has no tests of its own alone.
    """

    def __init__(self, folder: Path, paths: Sequence[str]) -> None:
        self._folder = folder
        for path in paths:
            importlib.import_module(_module_name(path))
        if all(PLANS[path].alone or path == POLICY for path in paths):
            return
        self._now = clock.now()
        self._scenario, self._rows = asyncio.run(self._build())
        # In a child process: statements that this process compiled would be reused by the mutants.
        if _ended(_child(lambda: asyncio.run(self._compute_expected()))) != 0:
            raise RuntimeError("the expected results could not be computed")
        self._expected: dict[tuple[str, Role], Any] = pickle.loads((folder / "expected").read_bytes())

    def run(self, *files: tuple[str, str]) -> int:
        """Runs the checks. Returns 0 if they pass, 1 if not, and the negative number of a signal at a timeout."""
        return _ended(self.start(*files))

    def start(self, *files: tuple[str, str]) -> int:
        """Starts the checks and returns the id of the child process, which exits with 0 if they pass."""

        def run() -> int:
            by_scenario = False
            for path, source in files:
                if path == POLICY and not _policy_matches_table(source):
                    return 1
                if PLANS[path].alone:
                    if not swap_code(path, source):
                        # Its tests run in a process of their own.
                        return 0
                elif path != POLICY:
                    _replace_module(path, source)
                    by_scenario = True
            if alone := list(dict.fromkeys(each for path, _ in files for each in PLANS[path].alone)):
                status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *CASES, *alone]))
                if status:
                    return status
            if not by_scenario:
                return 0
            return 0 if asyncio.run(self._checks_pass({path for path, _ in files})) else 1

        return _child(run)

    async def _build(self) -> tuple[AuthorizationScenario, Rows]:
        database = Database(f"sqlite:///{self._folder}/full.db")
        await migrate(database)
        scenario = await build_with_cross_tenant_rows(database)
        rows = await read_rows(database)
        await database.close()
        return scenario, rows

    async def _compute_expected(self) -> int:
        database = Database(f"sqlite:///{self._folder}/reduced.db")
        await migrate(database)
        crawler, expected = self._crawler(database), {}
        for viewer in _OF_THIS_PROVIDER:
            await replace_rows(database, visible_rows(self._rows, self._visibility(viewer)))
            expected[viewer] = await loader_probe.results(crawler, self._visibility(viewer))
        (self._folder / "expected").write_bytes(pickle.dumps(expected))
        return 0

    def _crawler(self, database: Database) -> ViewerCrawler:
        crawler = ViewerCrawler(database, self._folder, self._rows)
        crawler.now = self._now
        return crawler

    def _visibility(self, viewer: tuple[str, Role]) -> Visibility:
        return Visibility(self._rows, self._scenario.people[viewer[0]][0].id, viewer[1])

    async def _checks_pass(self, paths: set[str]) -> bool:
        path = self._folder / f"{os.getpid()}.db"
        shutil.copyfile(self._folder / "full.db", path)
        try:
            crawler = self._crawler(Database(f"sqlite:///{path}"))
            visibilities = {viewer: self._visibility(viewer) for viewer in _ORDER}
            # Without what cannot differ: no loader decides a condition, and nobody reads the audience.
            for (_, role), visibility in visibilities.items():
                if paths & CONDITIONS and await each_condition.disagreements(
                    crawler.database, crawler.context(visibility.me, role).require_active_viewer(), visibility
                ):
                    return False
            if paths == {AUDIENCE}:
                return True
            if near := _loaders_near(paths):
                # First what the change concerns: all loaders of a viewer take seconds.
                for viewer in _OF_THIS_PROVIDER:
                    found = await loader_probe.results(crawler, visibilities[viewer], near)
                    if any(self._expected[viewer][name] != answers for name, answers in found.items()):
                        return False
            for viewer in _OF_THIS_PROVIDER:
                if await loader_probe.results(crawler, visibilities[viewer]) != self._expected[viewer]:
                    return False
                if await loader_probe.disagreements(crawler, visibilities[viewer]):
                    return False
            for (who, role), visibility in visibilities.items():
                if who in USERS_WITH_A_FOREIGN_SITE:
                    continue
                answer = await crawler.crawl(visibility.me, role)
                wrong = (
                    node_mismatches(visibility, answer["nodes"], crawler.ids)
                    + leaks(visibility, answer)
                    + unreachable(visibility, answer)
                )
                if wrong or not self._role_fields_are_right(answer, visibility, role):
                    return False
            return True
        finally:
            path.unlink()

    def _role_fields_are_right(self, answer: dict, visibility: Visibility, role: Role) -> bool:
        listed = {node["id"] for node in answer["Query_users"]["UserConnection_nodes"]}
        known = {id for id, record in answer["nodes"].items() if record and record.get("User_email")}
        archived = {f"User_{row['id']}" for row in self._rows["user_account"] if row["archived_at"]}
        ulns = any(record and record.get("Learner_uln") for record in answer["nodes"].values())
        return (
            listed == visibility.ids["User"] - archived
            and known == visibility.contacts & visibility.ids["User"]
            and ulns == (visibility.sees_uln and bool(visibility.learners))
        )


def _child(run: Callable[[], int]) -> int:
    """Forks a child that exits with the result of `run`, 1 if it raises, by a signal at a timeout; returns its id."""
    child = os.fork()
    if child:
        return child
    signal.setitimer(signal.ITIMER_PROF, CPU_TIMEOUT)
    signal.alarm(TIMEOUT)
    with suppress(BaseException):
        # The output is discarded, and threads that still run are not waited for.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(run())
    os._exit(1)


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _module_name(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _loaders_near(paths: set[str]) -> set[str]:
    """Returns the modules of loaders among the paths, and those that import them."""
    names = {_module_name(path) for path in paths if path.startswith("loaders/")}
    sources = {f"loaders.{file.stem}": file.read_text(encoding="utf-8") for file in (ROOT / "loaders").glob("*.py")}
    return names | {each for each, source in sources.items() if any(f"from {name} import" in source for name in names)}


def _replace_module(path: str, source: str) -> None:
    """Executes the source in its module and replaces what other modules have imported from it.

    Classes are not replaced, because rows are identified by their class.
    """
    module = importlib.import_module(_module_name(path))
    tree, before = ast.parse(source), dict(vars(module))
    tree.body = [node for node in tree.body if not isinstance(node, ast.ClassDef | ast.Import | ast.ImportFrom)]
    exec(compile(tree, path, "exec"), vars(module))
    for name, old in before.items():
        new = vars(module)[name]
        if new is old or name.startswith("__"):
            continue
        for other in [
            loaded for module_name, loaded in sys.modules.items() if module_name.startswith((*PACKAGES, "tests."))
        ]:
            for alias in [alias for alias, value in vars(other).items() if value is old]:
                setattr(other, alias, new)


def _policy_matches_table(source: str) -> bool:
    names: dict[str, Any] = {"__name__": "policy"}
    try:
        exec(compile(source, "auth/policy.py", "exec"), names)
    except Exception:
        return False
    in_table = all(names["may"](role, name) == may(role, name) for name in ROW_OF for role in COLUMNS)
    authentication = all(
        names["may"](role, name) for name in AUTHENTICATION & names["MUTATIONS"].keys() for role in COLUMNS
    )
    return (
        in_table and authentication and all(names["GRANTABLE"].get(role, set()) == grantable(role) for role in COLUMNS)
    )


@contextmanager
def fast_check(paths: Sequence[str]) -> Iterator[FastCheck]:
    """Yields a FastCheck. Raises RuntimeError if the unchanged source of the paths does not pass it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    unchanged = [(path, (ROOT / path).read_text(encoding="utf-8")) for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        check = FastCheck(Path(folder), paths)
        if status := check.run(*unchanged):
            reason = "does not pass: run tests/authorization" if status > 0 else f"ended by signal {-status}"
            raise RuntimeError(f"the fast check of the unchanged source {reason}")
        yield check
