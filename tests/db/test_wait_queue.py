"""Who waits for a connection of a pool: in their order, for a limited time, and losing nothing to a cancellation."""

import asyncio

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.wait_queue import WaitQueue


@pytest.fixture
def returned() -> list[str]:
    """What was taken back."""
    return []


@pytest.fixture
def line(returned: list[str]) -> WaitQueue[str]:
    return WaitQueue(returned.append)


async def waiting(line: WaitQueue[str], number: int, seconds: float = 5.0) -> list["asyncio.Task[str]"]:
    tasks = [asyncio.create_task(line.wait(seconds, "too long")) for _ in range(number)]
    await asyncio.sleep(0)
    assert len(line) == number
    return tasks


async def test_each_thing_goes_to_who_waits_longest(line: WaitQueue[str]):
    first, second = await waiting(line, 2)
    assert (line.give("one"), line.give("two"), line.give("three")) == (True, True, False)
    assert (await first, await second, len(line)) == ("one", "two", 0)


async def test_a_wait_ends_after_its_seconds(line: WaitQueue[str], returned: list[str]):
    (task,) = await waiting(line, 1, 0.02)
    with pytest.raises(PoolTimeout, match="too long"):
        await task
    assert (len(line), line.give("one"), returned) == (0, False, [])


async def test_each_wait_ends_after_its_own_seconds(line: WaitQueue[str]):
    loop, ended = asyncio.get_running_loop(), []

    async def wait(name: str) -> None:
        began = loop.time()
        with pytest.raises(PoolTimeout):
            await line.wait(0.2, name)
        ended.append((name, loop.time() - began))

    given = asyncio.create_task(line.wait(0.2, "given"))
    await asyncio.sleep(0.05)
    tasks = [asyncio.create_task(wait("first"))]
    await asyncio.sleep(0.1)
    tasks.append(asyncio.create_task(wait("second")))
    await asyncio.sleep(0)
    assert line.give("one")
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)
    assert await given == "one"
    assert [name for name, _ in ended] == ["first", "second"]
    assert all(seconds >= 0.19 for _, seconds in ended)
    # A later one too, when nobody has waited for a while.
    await wait("third")


async def test_who_is_cancelled_leaves_the_line(line: WaitQueue[str], returned: list[str]):
    first, second = await waiting(line, 2)
    first.cancel()
    # Before the cancellation reaches it.
    assert line.give("one")
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await second, len(line), returned) == ("one", 0, [])


async def test_what_somebody_gets_who_is_cancelled_is_taken_back(line: WaitQueue[str], returned: list[str]):
    (task,) = await waiting(line, 1)
    assert line.give("one")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert returned == ["one"]
