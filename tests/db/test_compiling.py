"""Statements are compiled outside the event loop's thread, once for all who want them at the same time."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, inspect, literal, select
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import SelectBase

from db.database import Database
from db.direct_statements import send
from db.models.base import Key
from db.models.provider import Provider
from domain import clock

ROOT = Path(__file__).parents[2]
NUMBER = 9_000
_names = (f"of_this_test_{number}" for number in count())
TABLE = Provider.__table__
# In the names of columns of what these tests select: new statements, and objects of the table.
OWN = ("of_this_test", "traffic_light_tolerance")


class Refused(ColumnElement[int]):
    """An expression that cannot be compiled."""

    inherit_cache = True


@compiles(Refused)
def _refuse(*_: Any, **__: Any) -> str:
    raise CompileError("refused")


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The thread of each compilation of a statement of these tests. Servers of other tests compile theirs meanwhile."""
    found: list[int] = []
    prepare = SQLCompiler.__init__

    def prepare_noting(self: SQLCompiler, dialect: Any, statement: Any, *arguments: Any, **options: Any) -> None:
        names = statement.exported_columns.keys() if isinstance(statement, SelectBase) else ()
        if getattr(statement, "table", None) is TABLE or any(each in name for name in names for each in OWN):
            found.append(threading.get_ident())
        prepare(self, dialect, statement, *arguments, **options)

    monkeypatch.setattr(SQLCompiler, "__init__", prepare_noting)
    return found


def is_outside(threads: list[int]) -> bool:
    """Whether something was compiled, and nothing in this thread."""
    return bool(threads) and threading.get_ident() not in threads


def new_select() -> Any:
    """A statement that no cache has."""
    return select(literal(1).label(next(_names)))


async def read_rows(database: Database, statement: Any) -> Any:
    return await database.rows(statement)


async def read_columns(database: Database, statement: Any) -> Any:
    return [tuple(column) for column in await database.columns(statement)]


async def execute_read(database: Database, statement: Any) -> Any:
    async with database.reading() as connection:
        return (await connection.execute(statement)).all()


async def stream_snapshot(database: Database, statement: Any) -> Any:
    async with database.snapshot() as session:
        return [row async for row in await session.stream(statement)]


async def send_write(database: Database, statement: Any) -> Any:
    async with database.writing() as session:
        return await send(session, statement)


async def execute_write(database: Database, statement: Any) -> Any:
    async with database.writing() as session:
        return (await session.execute(statement)).all()


WAYS = pytest.mark.parametrize(
    "way", [read_rows, read_columns, execute_read, stream_snapshot, send_write, execute_write]
)
Way = Callable[[Database, Any], Awaitable[Any]]


@WAYS
async def test_a_new_statement_is_compiled_outside_the_loop_and_once(
    demo_database: Database, threads: list[int], way: Way
):
    statement = new_select()
    assert [[tuple(row) for row in await way(demo_database, statement)] for _ in range(2)] == [[(1,)], [(1,)]]
    # SQLite begins a transaction with a statement that is not compiled.
    assert is_outside(threads) and len(threads) == 1


@WAYS
async def test_an_error_of_compilation_reaches_the_caller(demo_database: Database, way: Way):
    for _ in range(2):
        with pytest.raises(CompileError, match="refused"):
            await way(demo_database, select(Refused()))
    assert await way(demo_database, new_select())
    assert {pool.in_use for pool in demo_database.pool_counts().values()} == {0}


async def test_the_statements_of_objects_are_compiled_outside_the_loop(demo_database: Database, threads: list[int]):
    # The tests of a process share what is compiled.
    demo_database._write_engine.sync_engine.clear_compiled_cache()
    inspect(Provider)._compiled_cache.clear()
    async with demo_database.writing() as session:
        session.add(Provider(id=NUMBER, name="New", created_at=clock.now()))
        session.add(Provider(id=NUMBER + 1, name="Other", created_at=clock.now()))
        await session.flush()
        added = len(threads)
        by_key = select(Provider).where(Provider.id == bindparam("key", type_=Key))
        found = (await session.execute(by_key, {"key": NUMBER})).scalar_one()
        await session.refresh(found)
        assert found.name == "New"
    assert added and len(threads) >= added + 2
    assert is_outside(threads)


async def test_many_who_want_a_statement_at_once_wait_for_one_compilation(demo_database: Database, threads: list[int]):
    statement = new_select()
    assert await asyncio.gather(*(demo_database.rows(statement) for _ in range(20))) == [[(1,)]] * 20
    assert len(threads) == 1
    # Statements that differ in a value are one to SQLAlchemy, and each gets its own value.
    name = next(_names)
    answers = await asyncio.gather(
        *(execute_read(demo_database, select(literal(number).label(name))) for number in range(6))
    )
    assert answers == [[(number,)] for number in range(6)]
    assert len(threads) == 2 and is_outside(threads)


async def test_one_who_is_cancelled_takes_nothing_from_the_others(demo_database: Database, threads: list[int]):
    async with demo_database.reading() as one, demo_database.reading() as other:
        for ways in ([demo_database.rows] * 2, [one.execute, other.execute]):
            statement = new_select()
            first, second = (asyncio.ensure_future(way(statement)) for way in ways)
            while not threads:
                await asyncio.sleep(0)
            first.cancel()
            assert list(await second) == [(1,)]
            assert first.cancelled() and len(threads) == 1
            threads.clear()


def test_a_forked_process_compiles_in_a_thread_of_its_own() -> None:
    """As the fast check of mutants does, for each mutant."""
    program = (
        "import asyncio, os, signal\nfrom db.compiling import Compilations\n"
        "def compile(key): return asyncio.run(Compilations().compile(key, lambda: key))\n"
        "compile('parent')\n"
        "child = os.fork()\n"
        "if child == 0: signal.alarm(20); os._exit(0 if compile('child') == 'child' else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), compile('parent again'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "0 parent again\n", done.stderr
