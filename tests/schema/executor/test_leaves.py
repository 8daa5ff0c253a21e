"""Every leaf type with every kind of value: the compiled executor returns what the generic one returns."""

import asyncio
import datetime as dt
import json
import math
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import strawberry
from graphql import Undefined, parse
from strawberry.schema.config import StrawberryConfig
from strawberry.utils.str_converters import to_camel_case

from schema.executor import executor_class
from tests.schema.executor.executor_rows import Level, Mood, Odd
from tests.schema.executor.executor_schema import SCALARS, Json
from tests.schema.executor.test_differential import run, shown


class Text(str):
    """A subclass of str."""


class Number(int):
    """A subclass of int."""


class Day(dt.date):
    """A subclass of date."""


LEAVES = {
    "text": str,
    "id": strawberry.ID,
    "number": int,
    "ratio": float,
    "flag": bool,
    "mood": Mood,
    "level": Level,
    "day": dt.date,
    "moment": dt.datetime,
    "amount": Decimal,
    "extra": Json,
}
MOMENT = dt.datetime(2026, 11, 21, 9, 30, 0, 5, tzinfo=dt.UTC)
VALID = {
    "text": "a", "id": "a", "number": -7, "ratio": 0.5, "flag": False, "mood": Mood.BUSY, "level": Level.HIGH,
    "day": dt.date(2026, 11, 21), "moment": MOMENT, "amount": Decimal("1.50"), "extra": {"a": [1]},
}  # fmt: skip
VALUES = [
    None, Undefined, "", "text", Text("own"), "calm", "CALM", "BELOW", True, False, 0, 1, 7, -7, Number(3), 10**30,
    2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 0.0, 2.0, 0.5, 1e300, math.inf, -math.inf, math.nan, Decimal("2.50"),
    Mood.CALM, Mood.BUSY, Level.LOW, Level.HIGH, dt.date(2026, 11, 21), Day(2026, 1, 2), MOMENT,
    MOMENT.replace(tzinfo=None), MOMENT.replace(tzinfo=ZoneInfo("Europe/London")), MOMENT.replace(microsecond=0),
    dt.time(9), b"bytes", [], [1], {"a": 1}, Odd(), ValueError("given"), KeyError,
]  # fmt: skip


def leaves_type() -> type:
    """A type with each leaf required, optional, and in lists of both."""
    annotations: dict[str, Any] = {}
    for name, leaf in LEAVES.items():
        annotations |= {name: leaf, f"{name}_or": leaf | None}
        annotations |= {f"{name}s": list[leaf], f"{name}s_or": list[leaf | None] | None}
    return strawberry.type(type("Leaves", (), {"__annotations__": annotations}))


Leaves = leaves_type()


@strawberry.type
class Query:
    @strawberry.field
    def leaves(self) -> Leaves | None:
        return self


SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))._schema
SHAPES = {
    "": lambda value: value,
    "_or": lambda value: value,
    "s": lambda value: [value],
    "s_or": lambda value: (None, value),
}
GENERIC = executor_class("generic")


async def answer(executor: type, attribute: str, value: Any) -> dict[str, Any]:
    """Returns the result for a field whose attribute has the value."""
    document = parse(f"{{ leaves {{ value: {to_camel_case(attribute)} }} }}")
    return shown(await run(executor, document, {}, None, SCHEMA, SimpleNamespace(**{attribute: value})))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("leaf", LEAVES)
async def test_any_value_is_completed_as_by_the_generic_executor(leaf: str, shape: str) -> None:
    executor = executor_class("compiled")
    for value in VALUES:
        value = SHAPES[shape](value)
        expected = await answer(GENERIC, leaf + shape, value)
        assert await answer(executor, leaf + shape, value) == expected, repr(value)
    assert executor.counters().unsupported == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("leaf", LEAVES)
async def test_a_value_that_the_generic_executor_awaits_is_not_coerced(leaf: str, shape: str) -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_result(VALID[leaf])
    value = SHAPES[shape](future)
    expected = await answer(GENERIC, leaf + shape, value)
    assert not expected["errors"]
    assert await answer(executor_class("compiled"), leaf + shape, value) == expected


@pytest.mark.parametrize("leaf", LEAVES)
async def test_valid_values_do_not_fall_back(leaf: str) -> None:
    executor = executor_class("compiled")
    for shape, shaped in SHAPES.items():
        assert not (await answer(executor, leaf + shape, shaped(VALID[leaf])))["errors"]
    assert (executor.counters().executed, executor.counters().deoptimized) == (4, 0)


async def test_times_in_utc_are_written_by_the_given_function() -> None:
    executor = executor_class("compiled", lambda moment: f"in {moment.year}")
    assert (await answer(executor, "moment", MOMENT))["data"] == '{"leaves": {"value": "in 2026"}}'
    elsewhere = MOMENT.replace(tzinfo=ZoneInfo("Europe/London"))
    assert (await answer(executor, "moment", elsewhere))["data"] == json.dumps(
        {"leaves": {"value": elsewhere.isoformat()}}
    )
    assert executor.counters().deoptimized == 0
