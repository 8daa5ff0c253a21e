"""A first look at mutants of scope and loaders: a process with the world in it is forked for each, in a second.

What passes here is looked at again by all the tests (`tests/scope/mutants.py`): numbers are not compared here, and what
a module took over when it was imported is not broken.
"""

import ast
import asyncio
import importlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from auth import scope
from db.engine import Database
from db.enums import Role
from tests.scope.alone import disagreements
from tests.scope.crossings import add_crossings
from tests.scope.everything import ONE_OF_EACH, VIEWERS, Everything, everything
from tests.scope.looking import Looker, against, beyond, unreached
from tests.scope.oracle import Sight
from tests.scope.rows import Rows, read_rows

LONGEST = 120  # seconds for one look

# Everybody, one of each role first; but Far away's Master Admin, to whom a crossing shows the name of a site here.
_ORDER = sorted((viewer for viewer in VIEWERS if viewer[0] != "zoo"), key=lambda viewer: viewer not in ONE_OF_EACH)
_ORDER.append(("oz", Role.LEARNER))


class Glance:
    """`passes(path, source)`: whether everybody reaches what they did, with that source in the file's place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made, self._rows = asyncio.run(self._build())

    async def _build(self) -> tuple[Everything, Rows]:
        database = Database(f"sqlite:///{self._folder}/world.db")
        made = await everything(database)
        await add_crossings(database, made)
        rows = await read_rows(database)
        await database.close()
        return made, rows

    def passes(self, path: str, source: str) -> bool:
        """Looks in a process of its own."""
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)
            try:
                _break(path, source)
                asyncio.run(self._say())
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    async def _say(self) -> None:
        # Whatever is found, the process ends with it: what still runs in its loop or threads is not waited for.
        try:
            os._exit(0 if await self._all_is_well() else 1)
        except BaseException:
            os._exit(1)

    async def _all_is_well(self) -> bool:
        path = self._folder / f"{os.getpid()}.db"
        shutil.copyfile(self._folder / "world.db", path)
        try:
            looker = Looker(Database(f"sqlite:///{path}"), self._folder, self._rows)
            sights = {viewer: Sight(self._rows, self._made.people[viewer[0]][0].id, viewer[1]) for viewer in _ORDER}
            for (_, role), sight in sights.items():
                if await disagreements(looker.database, looker.context(sight.me, role).let_in, sight):
                    return False
            for (_, role), sight in sights.items():
                answer = await looker.everything(sight.me, role)
                wrong = against(sight, answer["nodes"], looker.ids) + beyond(sight, answer) + unreached(sight, answer)
                if wrong or not self._role_is_right(answer, sight, role):
                    return False
            return True
        finally:
            path.unlink()

    def _role_is_right(self, answer: dict, sight: Sight, role: Role) -> bool:
        listed = {node["id"] for node in answer["Query_users"]["UserConnection_nodes"]}
        known = {id for id, record in answer["nodes"].items() if record and record.get("User_email")}
        archived = {f"User_{row['id']}" for row in self._rows["user_account"] if row["archived_at"]}
        ulns = any(record and record.get("Learner_uln") for record in answer["nodes"].values())
        return (
            listed == sight.ids["User"] - archived
            and known == sight.contacts & sight.ids["User"]
            and ulns == (sight.sees_uln and bool(sight.learners))
        )


def _break(path: str, source: str) -> None:
    """Puts the functions of the source, and the constants of auth/scope.py, in the place of the module's own.

    Classes stay: a row is known by its class.
    """
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    tree = ast.parse(source)
    if path != "auth/scope.py":
        tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    exec(compile(tree, path, "exec"), vars(module))


@contextmanager
def glance() -> Iterator[Glance]:
    """For as long as the block lasts. Raises where the source as it stands does not pass."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder:
        looked = Glance(Path(folder))
        if not looked.passes("auth/scope.py", Path(scope.__file__).read_text(encoding="utf-8")):
            raise RuntimeError("the source as it stands does not pass: run the tests of scope")
        yield looked


if __name__ == "__main__":
    with glance():
        print("passes", file=sys.stderr)
