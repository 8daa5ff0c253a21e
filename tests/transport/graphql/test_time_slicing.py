"""Time slicing: one task at a time, other work between its steps, and pauses that keep it within its share."""

import asyncio
from typing import Any

import pytest

from transport.graphql.time_slicing import Steps, TimeSlicer, run_at_once


class Clock:
    """A clock that stands still but for the work that is done."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def work(name: str, done: list[str], clock: Clock | None = None, fails: bool = False) -> Steps[str]:
    for number in range(3):
        if clock is not None:
            clock.now += 1
        done.append(f"{name}{number}")
        yield
    if fails:
        raise ValueError(name)
    return name


async def test_one_piece_at_a_time_and_others_between_its_steps() -> None:
    slicer, done = TimeSlicer(1.0), []

    async def other() -> None:
        for _ in range(4):
            done.append("other")
            await asyncio.sleep(0)

    found = await asyncio.gather(slicer.run(work("a", done)), slicer.run(work("b", done)), other())
    assert found == ["a", "b", None]
    assert [each for each in done if each != "other"] == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert done[:4] == ["a0", "other", "a1", "other"]


async def test_after_a_piece_of_work_the_next_one_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, slept = Clock(), []

    class Asyncio:
        """The module, for this one alone: other tasks of the loop, such as the monitor of a server, really sleep."""

        @staticmethod
        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            clock.now += seconds

        def __getattr__(self, name: str) -> Any:
            return getattr(asyncio, name)

    monkeypatch.setattr("transport.graphql.time_slicing.asyncio", Asyncio())
    slicer = TimeSlicer(0.25, clock)
    await slicer.run(work("a", [], clock))
    with pytest.raises(ValueError, match="b"):
        await slicer.run(work("b", [], clock, fails=True))
    clock.now += 5
    await slicer.run(work("c", [], clock))
    assert [seconds for seconds in slept if seconds] == [9.0, 4.0]


async def test_a_piece_whose_request_has_gone_gives_its_turn_to_the_next() -> None:
    slicer, done = TimeSlicer(1.0), []
    first = asyncio.create_task(slicer.run(work("a", done)))
    second = asyncio.create_task(slicer.run(work("b", done)))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "b"


def test_at_once() -> None:
    assert run_at_once(work("a", [])) == "a"
