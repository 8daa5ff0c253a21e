"""A field of many objects is completed in pieces, between which the event loop answers others."""

import asyncio
from collections.abc import Iterator

import pytest
import strawberry

from schema.executor import execution, executor_class

OBJECTS = 200


@strawberry.type
class Item:
    """What the long field has lists of."""

    number: int


@strawberry.type
class Group:
    """An object that waits for its items."""

    number: int

    @strawberry.field
    async def items(self) -> list[Item]:
        await asyncio.sleep(0)
        return Noting([Item(number=self.number)])


@strawberry.type
class Query:
    """Many objects with one field that is completed for all of them."""

    @strawberry.field
    def groups(self) -> list[Group]:
        return [Group(number=number) for number in range(OBJECTS)]


turn = 0
seen: list[int] = []


class Noting(list[Item]):
    """A list that notes in which turn of the loop it was completed."""

    def __iter__(self) -> Iterator[Item]:
        seen.append(turn)
        return super().__iter__()


async def count_turns() -> None:
    global turn
    while True:
        turn += 1
        await asyncio.sleep(0)


@pytest.mark.parametrize(("seconds", "turns"), [(0.0, -(-OBJECTS // 16)), (60.0, 1)])
async def test_the_loop_turns_while_many_objects_are_completed(
    monkeypatch: pytest.MonkeyPatch, seconds: float, turns: int
) -> None:
    monkeypatch.setattr(execution, "_SECONDS", seconds)
    executor = executor_class("compiled")
    schema = strawberry.Schema(Query, execution_context_class=executor)
    seen.clear()
    counting = asyncio.ensure_future(count_turns())
    result = await schema.execute("{ groups { number items { number } } }")
    counting.cancel()
    assert result.data == {"groups": [{"number": each, "items": [{"number": each}]} for each in range(OBJECTS)]}
    counters = executor.counters()
    assert (counters.executed, counters.deoptimized) == (1, 0)
    assert len(seen) == OBJECTS and len(set(seen)) == turns
