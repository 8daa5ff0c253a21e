"""Loads of keys and batches and mapped futures: which keys are read once, and which futures fail with a read."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from operator import attrgetter, itemgetter
from typing import Any

import pytest

from loaders.core.dataloader import BaseLoader, map_future


class Doubling(BaseLoader[int, int]):
    """Returns twice each key. `reads`: the keys of each read; `fault`: an exception to raise instead."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[list[int]] = []
        self.fault: Exception | None = None
        self.released = asyncio.Event()
        self.released.set()

    async def read(self, keys: list[int]) -> list[int]:
        assert len(set(keys)) == len(keys)
        self.reads.append(keys)
        await self.released.wait()
        if self.fault is not None:
            raise self.fault
        return [2 * key for key in keys]


@pytest.fixture
async def loader() -> AsyncIterator[Doubling]:
    """A loader. At the end the event loop must have no unhandled exception."""
    loop, unhandled = asyncio.get_running_loop(), []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, about: unhandled.append(about))
    yield Doubling()
    # What this test left; to look through all that the process has takes two seconds.
    gc.collect(1)
    await asyncio.sleep(0)
    loop.set_exception_handler(before)
    assert unhandled == []


async def test_loads_in_one_loop_iteration_are_one_read(loader: Doubling):
    assert await asyncio.gather(loader.load(1), loader.load(2), loader.load(1)) == [2, 4, 2]
    assert loader.reads == [[1, 2]]


async def test_a_loaded_key_is_not_read_again(loader: Doubling):
    assert loader.load(1) is loader.load(1)
    assert (await loader.load(1), await loader.load(1)) == (2, 2)
    assert loader.reads == [[1]]


async def test_a_key_that_is_loaded_alone_is_read_at_once_and_once(loader: Doubling):
    loading = loader.load_alone(1)
    with pytest.raises(StopIteration) as ended:
        # It waits for nothing but the read.
        loading.send(None)
    assert ended.value.value == 2
    assert (await loader.load(1), await loader.load_alone(1), await loader.load_alone(2)) == (2, 2, 4)
    assert await loader.load_batch([3, 4]) == [6, 8]
    assert await loader.load_alone(4) == 8
    assert loader.reads == [[1], [2], [3, 4]]
    loader.fault = LookupError()
    with pytest.raises(LookupError):
        await loader.load_alone(5)
    loader.fault = None
    assert await loader.load_alone(5) == 10


async def test_a_batch_is_one_read_and_one_future(loader: Doubling):
    assert await loader.load_batch([3, 1, 2]) == [6, 2, 4]
    assert loader.reads == [[3, 1, 2]]


async def test_a_repeated_key_of_a_batch_is_read_once(loader: Doubling):
    assert await loader.load_batch([3, 1, 3, 1, 1]) == [6, 2, 6, 2, 2]
    assert loader.reads == [[3, 1]]


Load = Callable[[Doubling], list[Any]]


@pytest.mark.parametrize(
    ("load", "read", "expected"),
    [
        pytest.param(
            lambda loader: [loader.load_batch([1, 2]), loader.load(2)], [1, 2], [[2, 4], 4], id="batch, key in it"
        ),
        pytest.param(
            lambda loader: [loader.load(2), loader.load_batch([1, 2])], [2, 1], [4, [2, 4]], id="key, batch with it"
        ),
        pytest.param(
            lambda loader: [loader.load_batch([1, 2]), loader.load(5)], [1, 2, 5], [[2, 4], 10], id="batch, other key"
        ),
        pytest.param(
            lambda loader: [loader.load_batch([1, 1, 2]), loader.load(1), loader.load(3), loader.load(3)],
            [1, 2, 3],
            [[2, 2, 4], 2, 6, 6],
            id="batch with repeated keys, keys",
        ),
        pytest.param(
            lambda loader: [loader.load_batch([1, 2]), loader.load_batch([1, 2])],
            [1, 2],
            [[2, 4], [2, 4]],
            id="equal batchs",
        ),
        pytest.param(
            lambda loader: [loader.load_batch([1, 2]), loader.load_batch([2, 3, 3])],
            [1, 2, 3],
            [[2, 4], [4, 6, 6]],
            id="overlapping batchs",
        ),
        pytest.param(
            lambda loader: [
                loader.load_batch([1, 2]),
                loader.load_batch([2, 1]),
                loader.load_batch([4]),
                loader.load(4),
            ],
            [1, 2, 4],
            [[2, 4], [4, 2], [8], 8],
            id="batchs in another order",
        ),
    ],
)
async def test_batches_and_keys_in_one_loop_iteration_are_one_read(
    loader: Doubling, load: Load, read: list[int], expected: list[Any]
):
    assert await asyncio.gather(*load(loader)) == expected
    assert loader.reads == [read]


async def test_equal_batches_are_one_future(loader: Doubling):
    assert loader.load_batch([1, 2]) is loader.load_batch((1, 2))
    assert await loader.load_batch([1, 2]) == [2, 4]
    assert await loader.load_batch([1, 2]) == [2, 4]
    assert loader.reads == [[1, 2]]


async def test_a_batch_with_keys_that_are_none_reads_the_others(loader: Doubling):
    assert loader.load_present([None, None]) is None
    given = loader.load_present([None, 3, 1, None, 3])
    assert given is not None and await given == [None, 6, 2, None, 6]
    assert loader.reads == [[3, 1]]


async def test_later_batches_and_keys_read_only_new_keys(loader: Doubling):
    assert await loader.load_batch([1, 2, 1]) == [2, 4, 2]
    assert await loader.load_batch([2, 3, 3, 1]) == [4, 6, 6, 2]
    assert await loader.load(1) == 2
    assert await loader.load_batch([3, 4]) == [6, 8]
    assert await loader.load(4) == 8
    assert loader.reads == [[1, 2], [3], [4]]


async def test_a_batch_after_single_keys_reads_only_new_keys(loader: Doubling):
    assert await loader.load(2) == 4
    assert await loader.load_batch([1, 2]) == [2, 4]
    assert loader.reads == [[2], [1]]


async def test_a_key_of_a_running_batch_is_not_read_again(loader: Doubling):
    loader.released.clear()
    batch = loader.load_batch([1, 2])
    while not loader.reads:
        await asyncio.sleep(0)
    late, again, other = loader.load(2), loader.load_batch([2, 1]), loader.load(3)
    loader.released.set()
    assert await asyncio.gather(batch, late, again, other) == [[2, 4], 4, [4, 2], 6]
    assert loader.reads == [[1, 2], [3]]


async def test_a_failing_read_fails_every_waiting_future(loader: Doubling):
    loader.fault = ValueError("away")
    waiting = [
        loader.load_batch([1, 2]), loader.load(2), loader.load(3), loader.load_batch([3, 4]),
        map_future(loader.load(3), itemgetter(0)),
    ]  # fmt: skip
    given = await asyncio.gather(*waiting, return_exceptions=True)
    assert given == [loader.fault] * len(waiting)
    assert loader.reads == [[1, 2, 3, 4]]


async def test_a_failed_read_fails_later_loads_of_its_keys(loader: Doubling):
    loader.fault = ValueError("away")
    with pytest.raises(ValueError, match="away"):
        await loader.load_batch([1, 2])
    for late in (loader.load(2), loader.load_batch([2, 1]), loader.load_batch([1, 2])):
        with pytest.raises(ValueError, match="away"):
            await late


async def test_a_cancelled_load_does_not_affect_the_others(loader: Doubling):
    loader.released.clear()

    async def awaiting(future: Any) -> Any:
        return await future

    futures = [loader.load_batch([1, 2]), loader.load(2), loader.load(3), loader.load_batch([3, 1])]
    tasks = [asyncio.create_task(awaiting(future)) for future in futures for _ in range(2)]
    while not loader.reads:
        await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.sleep(0)
    loader.released.set()
    given = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in given[::2]] == [asyncio.CancelledError] * 4
    assert given[1::2] == [[2, 4], 4, 6, [6, 2]]


async def test_a_mapped_future_has_the_result_of_the_function(loader: Doubling):
    assert await map_future(loader.load(7), attrgetter("real")) == 14
    whole = loader.load(1)
    await whole
    assert await map_future(whole, str) == "2"


async def test_a_mapped_future_fails_if_the_function_fails(loader: Doubling):
    with pytest.raises(AttributeError):
        await map_future(loader.load(7), attrgetter("nothing"))


async def test_a_cancelled_read_cancels_every_waiting_future(loader: Doubling):
    """At the end of a server's loop every task is cancelled, and each must end."""
    loader.released.clear()
    before = asyncio.all_tasks()

    async def awaiting(future: Any) -> Any:
        return await future

    futures = [loader.load_batch([1, 2]), loader.load(2), loader.load(3), map_future(loader.load(1), str)]
    tasks = [asyncio.create_task(awaiting(future)) for future in futures]
    while not loader.reads:
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - before:
        task.cancel()
    ended, waiting = await asyncio.wait(tasks, timeout=2)
    loader.released.set()
    assert not waiting and all(task.cancelled() for task in ended)
