"""A cached statement is built once, outside the event loop's thread, for all who want it at the same time."""

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from sqlalchemy import literal, select

from db.cached_statement import CachedStatement, cached_statement
from db.database import Database
from db.direct_statements import send

_numbers = count()


class Builder:
    """Builds a select of one number, and keeps the thread of each time. The first `failures` times it fails."""

    def __init__(self, failures: int = 0) -> None:
        self.threads: list[int] = []
        self._failures = failures

    def __call__(self) -> Any:
        self.threads.append(threading.get_ident())
        if len(self.threads) <= self._failures:
            raise LookupError("not built")
        return select(literal(1).label(f"cached_{next(_numbers)}"))

    @property
    def was_outside(self) -> bool:
        """Whether it was called once, and not in this thread."""
        return len(self.threads) == 1 and self.threads != [threading.get_ident()]


async def read_rows(database: Database, statement: Any) -> Any:
    return await database.rows(statement)


async def read_columns(database: Database, statement: Any) -> Any:
    return list(zip(*await database.columns(statement), strict=True))


async def send_write(database: Database, statement: Any) -> Any:
    async with database.writing() as session:
        return await send(session, statement)


async def execute_awaited(database: Database, statement: Any) -> Any:
    async with database.writing() as session:
        return (await session.execute(await statement)).all()


WAYS = pytest.mark.parametrize("way", [read_rows, read_columns, send_write, execute_awaited])
Way = Callable[[Database, Any], Awaitable[Any]]


@WAYS
async def test_it_is_built_outside_the_loop_and_once(database: Database, way: Way) -> None:
    builder = Builder()
    make = cached_statement(builder.__call__)
    found = [[tuple(row) for row in await way(database, make())] for _ in range(2)]
    assert found == [[(1,)], [(1,)]]
    assert builder.was_outside


@WAYS
async def test_an_error_reaches_the_caller_and_is_not_kept(database: Database, way: Way) -> None:
    builder = Builder(failures=2)
    make = cached_statement(builder.__call__)
    for _ in range(2):
        with pytest.raises(LookupError, match="not built"):
            await way(database, make())
    assert [tuple(row) for row in await way(database, make())] == [(1,)]
    assert {pool.in_use for pool in database.pool_counts().values()} == {0}


@WAYS
async def test_all_who_want_it_wait_for_one(database: Database, way: Way) -> None:
    builder = Builder()
    make = cached_statement(builder.__call__)
    # SQLite's writers wait for each other in any case.
    found = await asyncio.gather(*(way(database, make()) for _ in range(8)))
    assert [[tuple(row) for row in rows] for rows in found] == [[(1,)]] * 8
    assert builder.was_outside


async def test_one_who_is_cancelled_takes_nothing_from_the_others() -> None:
    may_end = threading.Event()

    def build() -> int:
        assert may_end.wait(10)
        return 1

    statement = CachedStatement(build)
    first, second = (asyncio.ensure_future(asyncio.wait_for(statement, 10)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    may_end.set()
    assert await second == 1 and first.cancelled()


async def test_the_loop_turns_meanwhile() -> None:
    turns = 0

    def build() -> int:
        seen = turns
        end = time.monotonic() + 10
        while turns < seen + 3 and time.monotonic() < end:
            time.sleep(0.001)
        return turns - seen

    async def wait(statement: CachedStatement[int]) -> int:
        return await statement

    building = asyncio.ensure_future(wait(CachedStatement(build)))
    while not building.done():
        turns += 1
        await asyncio.sleep(0)
    assert await building >= 3


async def test_the_loop_itself_builds_none() -> None:
    statement = CachedStatement(lambda: 1)
    with pytest.raises(RuntimeError, match="await it"):
        statement.build()
    assert await statement == 1
    # It is built now.
    assert statement.build() == 1


def test_it_is_one_for_equal_arguments_and_costs_no_call_the_second_time() -> None:
    make = cached_statement(lambda number: select(literal(number)))
    first = make(1)
    assert first is not make(2)
    calls = []
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        second = make(1)
    finally:
        sys.setprofile(None)
    assert second is first and calls == []
