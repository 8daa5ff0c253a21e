"""The compiled executor with awkward resolvers: hidden errors, iterators, sources of other classes, pending work."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from strawberry.types import Info

from schema.executor import executor_class


class Inlined(property):
    """A property that reads `inner.title` and declares it to the executor."""

    def inline(self, source: str) -> str:
        return f"{source}.inner.title"


class Uppercase:
    """A descriptor without a function to call and without `inline`."""

    def __get__(self, row: Any, owner: type | None = None) -> str:
        return row.inner.title.upper()


@dataclass(slots=True)
class Inner:
    title: str


@dataclass(slots=True)
class Row:
    inner: Inner
    numbers: Any = ()

    title = Inlined(lambda row: row.inner.title)
    uppercase = Uppercase()

    @property
    def initial(self) -> str:
        return self.inner.title[0]

    @property
    def self_title(self) -> str:
        return self.title


@strawberry.interface
class Titled:
    title: str

    @classmethod
    def resolve_type(cls, obj: Any, _info: Info, _type: Any) -> str:
        return obj.title


@strawberry.type
class Thing(Titled):
    __row__ = Row
    initial: str
    self_title: str
    uppercase: str
    numbers: list[int]

    @strawberry.field
    def place(self, info: Info) -> str:
        try:
            return str(info.path.as_list())
        except Exception:
            return "no path"

    @strawberry.field
    async def slow(self, info: Info) -> int:
        info.context["log"].append("slow begins")
        await asyncio.sleep(0.02)
        info.context["log"].append("slow ends")
        return 1

    @strawberry.field
    async def later(self) -> "Thing":
        for _ in range(5):
            await asyncio.sleep(0)
        return self

    @strawberry.field
    def mark(self, info: Info) -> int:
        info.context["log"].append("mark")
        return 1

    @strawberry.field
    async def wrong(self, info: Info) -> int | None:
        info.context["log"].append("wrong")
        await asyncio.sleep(0)
        raise ValueError("wrong")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Info) -> bool:
        return isinstance(obj, (Row, OtherRow))


class OtherRow:
    title = "another class"
    initial = "x"


@strawberry.type
class Twin(Titled):
    """A second type over the rows of Thing: the class of a row does not determine the type."""

    __row__ = Row

    @classmethod
    def is_type_of(cls, obj: Any, _info: Info) -> bool:
        return obj.__class__ is Row


@strawberry.type
class Query:
    @strawberry.field
    def thing(self, other: bool = False) -> Thing:
        return OtherRow() if other else Row(Inner("title"))

    @strawberry.field
    def ticking(self, info: Info) -> int:
        async def tick() -> int:
            info.context["log"].append("tick begins")
            await asyncio.sleep(0.01)
            info.context["log"].append("tick ends")
            return 1

        return asyncio.ensure_future(tick())

    @strawberry.field
    def boom(self) -> int | None:
        raise ValueError("boom")

    @strawberry.field
    def twin(self, which: str) -> Titled:
        return Row(Inner(which))

    @strawberry.field
    def countdown(self) -> Thing:
        return Row(Inner("title"), numbers=self)


def awkward() -> tuple[strawberry.Schema, type]:
    executor = executor_class()
    return strawberry.Schema(Query, types=[Thing, Twin], execution_context_class=executor), executor


async def test_an_attribute_is_read_inline_if_its_descriptor_has_an_expression() -> None:
    schema, executor = awkward()
    result = await schema.execute("{ thing { title initial selfTitle uppercase numbers } }")
    assert result.data == {
        "thing": {"title": "title", "initial": "t", "selfTitle": "title", "uppercase": "TITLE", "numbers": []}
    }
    [entry] = executor.cache._entries.values()
    source = entry.queries[()].source
    assert source.count(".inner.title") == 1
    assert ".uppercase" in source
    # The functions of the other properties are called without a lookup.
    assert ".initial" not in source and ".self_title" not in source
    assert executor.counters().executed == 1


async def test_a_source_of_another_class_than_the_declared_row_falls_back() -> None:
    schema, executor = awkward()
    answer = await schema.execute("{ thing(other: true) { title initial } }")
    assert answer.data == {"thing": {"title": "another class", "initial": "x"}}
    assert executor.counters().deoptimized == 1


async def test_reading_the_path_falls_back_even_if_the_resolver_catches_the_error() -> None:
    schema, executor = awkward()
    assert (await schema.execute("{ t: thing { place } }")).data == {"t": {"place": "['t', 'place']"}}
    assert executor.counters().deoptimized == 1


async def test_an_iterator_is_not_used_up_before_the_fallback() -> None:
    schema, executor = awkward()

    def numbers() -> Iterator[int]:
        yield from (3, 2, 1)

    answer = await schema.execute("{ countdown { numbers } }", root_value=numbers())
    assert answer.data == {"countdown": {"numbers": [3, 2, 1]}}
    assert executor.counters().deoptimized == 1


async def test_nothing_of_a_failed_execution_runs_beside_the_second_attempt() -> None:
    schema, executor = awkward()
    context: dict[str, list[str]] = {"log": []}
    answer = await schema.execute("{ thing { wrong slow } }", context_value=context)
    assert answer.data == {"thing": {"wrong": None, "slow": 1}}
    assert [str(error.message) for error in answer.errors] == ["wrong"]
    assert sorted(context["log"][:3]) == ["slow begins", "slow ends", "wrong"]
    assert executor.counters().deoptimized == 1


async def test_after_a_failure_no_further_resolver_is_called() -> None:
    schema, _ = awkward()
    context: dict[str, list[str]] = {"log": []}
    answer = await schema.execute("{ thing { wrong later { mark } } }", context_value=context)
    assert answer.data == {"thing": {"wrong": None, "later": {"mark": 1}}}
    assert context["log"].count("wrong") == 2
    assert context["log"].count("mark") == 1


async def test_pending_work_of_a_failed_execution_ends_before_the_second_attempt() -> None:
    schema, executor = awkward()
    context: dict[str, list[str]] = {"log": []}
    answer = await schema.execute("{ ticking boom }", context_value=context)
    assert (answer.data, len(answer.errors)) == ({"ticking": 1, "boom": None}, 1)
    assert context["log"] == ["tick begins", "tick ends"] * 2
    assert executor.counters().deoptimized == 1


@pytest.mark.parametrize("which", ["Thing", "Twin"])
async def test_types_that_share_a_row_class_are_distinguished_by_the_schema(which: str) -> None:
    schema, executor = awkward()
    answer = await schema.execute("query ($which: String!) { twin(which: $which) { __typename } }", {"which": which})
    assert answer.data == {"twin": {"__typename": which}}
    assert executor.counters().executed == 1


async def test_a_cancelled_execution_leaves_no_task() -> None:
    schema, _ = awkward()
    context: dict[str, list[str]] = {"log": []}
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(schema.execute("{ thing { slow again: slow } }", context_value=context))
    while len(context["log"]) < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert context["log"] == ["slow begins", "slow begins"]
