"""A fast check of mutants: for each one a process with the test data in memory is forked, and reports within seconds.

A mutant that passes here is run again with all its tests (`tests/mutation_testing/mutants.py`), because what was read
when a class was made is not mutated here.
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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import structlog

from auth import scope
from db.database import Database
from db.migrate import migrate
from domain import clock
from domain.enums import Role
from tests.authorization import each_condition, loader_probe
from tests.authorization.cross_tenant_rows import SHOWN_A_SITE, build_with_cross_tenant_rows
from tests.authorization.oracle import Visibility, visible_rows
from tests.authorization.permissions import COLUMNS, OF_SIGNING_IN, ROW_OF, grantable, may
from tests.authorization.rows import Rows, read_rows, replace_rows
from tests.authorization.viewer_crawler import ViewerCrawler, leaks, node_mismatches, unreachable
from tests.support.scenarios.authorization import (
    ONE_OF_EACH,
    STAFF,
    VIEWERS,
    AuthorizationScenario,
)

LONGEST = 300  # seconds for one look
ROOMS = ("auth.", "db.", "domain.", "loaders.", "resolvers.", "schema.")
# Files without a database, which these tests check by themselves.
NUMBER_RULES = {"domain/progress.py", "domain/off_the_job.py"}
NUMBERS = ("tests/domain/test_progress.py", "tests/domain/test_off_the_job.py", "tests/loaders/test_kpis.py")

# Everybody, one of each role first.
_ORDER = sorted([*VIEWERS, ("oz", Role.LEARNER)], key=lambda viewer: viewer not in ONE_OF_EACH)
# Far away's world cannot be cut to what they see: its records name people here.
_HERE = [viewer for viewer in _ORDER if viewer[0] in STAFF or viewer[0] in ("ada", "eve")]


class Glance:
    """`passes((path, source), ...)`: whether everybody reaches what they did, with each source in its file's place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = clock.now()
        self._scenario, self._rows = asyncio.run(self._build())
        # In a process of its own: statements that are prepared here would not be broken with what they are made of.
        if _ended(_child(lambda: asyncio.run(self._expect()))) != 0:
            raise RuntimeError("the world could not be cut to what somebody sees")
        self._expected: dict[tuple[str, Role], Any] = pickle.loads((folder / "expected").read_bytes())

    def passes(self, *files: tuple[str, str]) -> bool:
        """Looks in a process of its own, with each source in its file's place."""
        return _ended(self.look(*files)) == 0

    def look(self, *files: tuple[str, str]) -> int:
        """The id of a process that looks; it ends with 0 where everybody reaches what they did."""

        def run() -> int:
            for path, source in files:
                if path == "auth/policy.py" and not _table_agrees(source):
                    return 1
                _break(path, source)
            paths = {path for path, _ in files}
            if paths == {"auth/policy.py"}:
                return 0
            if paths <= NUMBER_RULES:
                command = ["-x", "-q", "-p", "no:cacheprovider", "-k", "sqlite or not postgresql"]
                return int(pytest.main([*command, *NUMBERS]))
            return 0 if asyncio.run(self._all_is_well()) else 1

        return _child(run)

    async def _build(self) -> tuple[AuthorizationScenario, Rows]:
        database = Database(f"sqlite:///{self._folder}/full.db")
        await migrate(database)
        scenario = await build_with_cross_tenant_rows(database)
        rows = await read_rows(database)
        await database.close()
        return scenario, rows

    async def _expect(self) -> int:
        database = Database(f"sqlite:///{self._folder}/reduced.db")
        await migrate(database)
        crawler, expected = self._looker(database), {}
        for viewer in _HERE:
            await replace_rows(database, visible_rows(self._rows, self._sight(viewer)))
            expected[viewer] = await loader_probe.given(crawler, self._sight(viewer))
        (self._folder / "expected").write_bytes(pickle.dumps(expected))
        return 0

    def _looker(self, database: Database) -> ViewerCrawler:
        crawler = ViewerCrawler(database, self._folder, self._rows)
        crawler.now = self._now
        return crawler

    def _sight(self, viewer: tuple[str, Role]) -> Visibility:
        return Visibility(self._rows, self._scenario.people[viewer[0]][0].id, viewer[1])

    async def _all_is_well(self) -> bool:
        path = self._folder / f"{os.getpid()}.db"
        shutil.copyfile(self._folder / "full.db", path)
        try:
            crawler = self._looker(Database(f"sqlite:///{path}"))
            visibilities = {viewer: self._sight(viewer) for viewer in _ORDER}
            for (_, role), visibility in visibilities.items():
                if await each_condition.disagreements(
                    crawler.database, crawler.context(visibility.me, role).require_active_viewer(), visibility
                ):
                    return False
            for viewer in _HERE:
                if await loader_probe.given(crawler, visibilities[viewer]) != self._expected[viewer]:
                    return False
                if await loader_probe.disagreements(crawler, visibilities[viewer]):
                    return False
            for (who, role), visibility in visibilities.items():
                if who in SHOWN_A_SITE:
                    continue
                answer = await crawler.crawl(visibility.me, role)
                wrong = (
                    node_mismatches(visibility, answer["nodes"], crawler.ids)
                    + leaks(visibility, answer)
                    + unreachable(visibility, answer)
                )
                if wrong or not self._role_is_right(answer, visibility, role):
                    return False
            return True
        finally:
            path.unlink()

    def _role_is_right(self, answer: dict, visibility: Visibility, role: Role) -> bool:
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
    """The id of a process that ends with what `run` gives; with 1 where it raises, by a signal where it lasts."""
    child = os.fork()
    if child:
        return child
    signal.alarm(LONGEST)
    with suppress(BaseException):
        # Whatever it says, or its loop and threads still run: nobody waits for it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(run())
    os._exit(1)


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _break(path: str, source: str) -> None:
    """Puts what the source makes in the place of the module's own, wherever that was taken over.

    Classes stay: a row is known by its class.
    """
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    tree, before = ast.parse(source), dict(vars(module))
    tree.body = [node for node in tree.body if not isinstance(node, ast.ClassDef | ast.Import | ast.ImportFrom)]
    exec(compile(tree, path, "exec"), vars(module))
    for name, was in before.items():
        made = vars(module)[name]
        if made is was or name.startswith("__"):
            continue
        for other in [found for room, found in sys.modules.items() if room.startswith((*ROOMS, "tests."))]:
            for taken in [taken for taken, value in vars(other).items() if value is was]:
                setattr(other, taken, made)


def _table_agrees(source: str) -> bool:
    names: dict[str, Any] = {"__name__": "policy"}
    try:
        exec(compile(source, "auth/policy.py", "exec"), names)
    except Exception:
        return False
    in_table = all(names["may"](role, name) == may(role, name) for name in ROW_OF for role in COLUMNS)
    signing_in = all(names["may"](role, name) for name in OF_SIGNING_IN & names["MUTATIONS"].keys() for role in COLUMNS)
    return in_table and signing_in and all(names["GRANTABLE"].get(role, set()) == grantable(role) for role in COLUMNS)


@contextmanager
def glance(paths: Iterable[str]) -> Iterator[Glance]:
    """For as long as the block lasts. Raises where the source as it stands does not pass, put in its own place."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    root = Path(scope.__file__).parents[1]
    as_it_stands = [(path, (root / path).read_text(encoding="utf-8")) for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        looked = Glance(Path(folder))
        alone_too = [file for file in as_it_stands if file[0] in NUMBER_RULES]
        if not all(looked.passes(*files) for files in (as_it_stands, alone_too) if files):
            raise RuntimeError("the source as it stands does not pass: run the tests of scope")
        yield looked
