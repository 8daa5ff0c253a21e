"""Which attributes a function reads of its first argument."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import pytest

from loaders.core.attributes import attributes_read


async def waits(row: Any, loaders: Any) -> Any:
    return row.first if await loaders.load(row.second) else row.third.fourth


def passes_on(row: Any) -> Any:
    return [row]


def keeps(row: Any) -> Any:
    return lambda: row.first


def replaces(row: Any) -> Any:
    row = row.first
    return row.second


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda row: row.first, {"first"}),
        (lambda row, other: other.second, set()),
        (lambda row: row.first.strip(row.second), {"first", "second"}),
        (lambda row: row.method(), {"method"}),
        (lambda row, loaders: loaders.load((row.first, row.second)), {"first", "second"}),
        (waits, {"first", "second", "third"}),
        (passes_on, None),
        (keeps, None),
        (replaces, None),
        (lambda row: str(row), None),
        (lambda row: [row.first for _ in "ab"], None),
        (lambda: None, None),
        (attrgetter("first"), None),
        (len, None),
    ],
)
def test_attributes(function: Callable[..., Any], expected: set[str] | None) -> None:
    assert attributes_read(function) == expected
