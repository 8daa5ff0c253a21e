"""Loads, columns of keys and parts of what a loader gives: what is read once, and who hears of it when a read fails."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from operator import attrgetter, itemgetter
from typing import Any

import pytest

from loaders.core.dataloader import BaseLoader, map_future


class Doubling(BaseLoader[int, int]):
    """Gives twice each key; keeps what each read was asked for. A `fault` is what it raises instead."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[list[int]] = []
        self.fault: Exception | None = None
        self.answered = asyncio.Event()
        self.answered.set()

    async def read(self, keys: list[int]) -> list[int]:
        assert len(set(keys)) == len(keys)
        self.reads.append(keys)
        await self.answered.wait()
        if self.fault is not None:
            raise self.fault
        return [2 * key for key in keys]


@pytest.fixture
async def loader() -> AsyncIterator[Doubling]:
    """A loader; at the end nothing may have gone wrong behind everybody's back."""
    loop, unheard = asyncio.get_running_loop(), []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, about: unheard.append(about))
    yield Doubling()
    gc.collect()
    await asyncio.sleep(0)
    loop.set_exception_handler(before)
    assert unheard == []


async def test_loads_of_one_turn_are_one_read(loader: Doubling):
    assert await asyncio.gather(loader.load(1), loader.load(2), loader.load(1)) == [2, 4, 2]
    assert loader.reads == [[1, 2]]


async def test_what_was_loaded_is_not_read_again(loader: Doubling):
    assert loader.load(1) is loader.load(1)
    assert (await loader.load(1), await loader.load(1)) == (2, 2)
    assert loader.reads == [[1]]


async def test_a_column_is_one_read_and_one_future(loader: Doubling):
    assert await loader.load_batch([3, 1, 2]) == [6, 2, 4]
    assert loader.reads == [[3, 1, 2]]


async def test_a_key_that_stands_in_a_column_twice_is_read_once(loader: Doubling):
    assert await loader.load_batch([3, 1, 3, 1, 1]) == [6, 2, 6, 2, 2]
    assert loader.reads == [[3, 1]]


Ask = Callable[[Doubling], list[Any]]


@pytest.mark.parametrize(
    ("ask", "read", "given"),
    [
        pytest.param(lambda to: [to.load_batch([1, 2]), to.load(2)], [1, 2], [[2, 4], 4], id="column, key in it"),
        pytest.param(lambda to: [to.load(2), to.load_batch([1, 2])], [2, 1], [4, [2, 4]], id="key, column with it"),
        pytest.param(lambda to: [to.load_batch([1, 2]), to.load(5)], [1, 2, 5], [[2, 4], 10], id="column, other key"),
        pytest.param(
            lambda to: [to.load_batch([1, 1, 2]), to.load(1), to.load(3), to.load(3)],
            [1, 2, 3],
            [[2, 2, 4], 2, 6, 6],
            id="column with doubles, keys",
        ),
        pytest.param(
            lambda to: [to.load_batch([1, 2]), to.load_batch([1, 2])], [1, 2], [[2, 4], [2, 4]], id="equal columns"
        ),
        pytest.param(
            lambda to: [to.load_batch([1, 2]), to.load_batch([2, 3, 3])],
            [1, 2, 3],
            [[2, 4], [4, 6, 6]],
            id="overlapping columns",
        ),
        pytest.param(
            lambda to: [to.load_batch([1, 2]), to.load_batch([2, 1]), to.load_batch([4]), to.load(4)],
            [1, 2, 4],
            [[2, 4], [4, 2], [8], 8],
            id="columns in another order",
        ),
    ],
)
async def test_what_is_asked_for_in_one_turn_is_one_read(loader: Doubling, ask: Ask, read: list[int], given: list[Any]):
    assert await asyncio.gather(*ask(loader)) == given
    assert loader.reads == [read]


async def test_equal_columns_are_one_future(loader: Doubling):
    assert loader.load_batch([1, 2]) is loader.load_batch((1, 2))
    assert await loader.load_batch([1, 2]) == [2, 4]
    assert await loader.load_batch([1, 2]) == [2, 4]
    assert loader.reads == [[1, 2]]


async def test_later_columns_and_keys_read_only_what_is_new(loader: Doubling):
    assert await loader.load_batch([1, 2, 1]) == [2, 4, 2]
    assert await loader.load_batch([2, 3, 3, 1]) == [4, 6, 6, 2]
    assert await loader.load(1) == 2
    assert await loader.load_batch([3, 4]) == [6, 8]
    assert await loader.load(4) == 8
    assert loader.reads == [[1, 2], [3], [4]]


async def test_a_column_after_single_keys_reads_only_what_is_new(loader: Doubling):
    assert await loader.load(2) == 4
    assert await loader.load_batch([1, 2]) == [2, 4]
    assert loader.reads == [[2], [1]]


async def test_a_key_of_a_column_that_is_under_way_is_not_read_again(loader: Doubling):
    loader.answered.clear()
    column = loader.load_batch([1, 2])
    while not loader.reads:
        await asyncio.sleep(0)
    late, again, other = loader.load(2), loader.load_batch([2, 1]), loader.load(3)
    loader.answered.set()
    assert await asyncio.gather(column, late, again, other) == [[2, 4], 4, [4, 2], 6]
    assert loader.reads == [[1, 2], [3]]


async def test_a_failing_read_fails_everybody_who_waits(loader: Doubling):
    loader.fault = ValueError("away")
    waiting = [
        loader.load_batch([1, 2]), loader.load(2), loader.load(3), loader.load_batch([3, 4]),
        map_future(loader.load(3), itemgetter(0)),
    ]  # fmt: skip
    given = await asyncio.gather(*waiting, return_exceptions=True)
    assert given == [loader.fault] * len(waiting)
    assert loader.reads == [[1, 2, 3, 4]]


async def test_what_fails_late_is_heard_by_those_who_ask_late(loader: Doubling):
    loader.fault = ValueError("away")
    with pytest.raises(ValueError, match="away"):
        await loader.load_batch([1, 2])
    for late in (loader.load(2), loader.load_batch([2, 1]), loader.load_batch([1, 2])):
        with pytest.raises(ValueError, match="away"):
            await late


async def test_who_no_longer_waits_takes_nothing_from_the_others(loader: Doubling):
    loader.answered.clear()

    async def awaiting(future: Any) -> Any:
        return await future

    asked = [loader.load_batch([1, 2]), loader.load(2), loader.load(3), loader.load_batch([3, 1])]
    tasks = [asyncio.create_task(awaiting(future)) for future in asked for _ in range(2)]
    while not loader.reads:
        await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.sleep(0)
    loader.answered.set()
    given = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in given[::2]] == [asyncio.CancelledError] * 4
    assert given[1::2] == [[2, 4], 4, 6, [6, 2]]


async def test_a_part_is_what_is_made_of_the_whole(loader: Doubling):
    assert await map_future(loader.load(7), attrgetter("real")) == 14
    whole = loader.load(1)
    await whole
    assert await map_future(whole, str) == "2"


async def test_a_part_that_cannot_be_made_fails(loader: Doubling):
    with pytest.raises(AttributeError):
        await map_future(loader.load(7), attrgetter("nothing"))


async def test_a_read_that_is_cancelled_leaves_nobody_waiting(loader: Doubling):
    """As when a server's loop ends: every task is cancelled, and each must end."""
    loader.answered.clear()
    before = asyncio.all_tasks()

    async def awaiting(future: Any) -> Any:
        return await future

    asked = [loader.load_batch([1, 2]), loader.load(2), loader.load(3), map_future(loader.load(1), str)]
    tasks = [asyncio.create_task(awaiting(future)) for future in asked]
    while not loader.reads:
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - before:
        task.cancel()
    ended, waiting = await asyncio.wait(tasks, timeout=2)
    loader.answered.set()
    assert not waiting and all(task.cancelled() for task in ended)
