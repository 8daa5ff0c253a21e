"""Compares the compiled with the generic executor, on a schema that this file makes: lists, objects, a data loader.

`python -m schema.executor.benchmark` prints the operations a second of each, and their ratio. It needs Strawberry
and nothing else.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

from . import executor_class

_BRANCHES, _LEAVES = 20, 25
_OPERATION = """
{ branches { id name open books { id title year price available author { id name } } } }
"""


@dataclass(slots=True)
class _AuthorRow:
    id: strawberry.ID
    name: str


@dataclass(slots=True)
class _BookRow:
    id: strawberry.ID
    title: str
    year: int
    price: float
    available: bool
    author_id: int


@dataclass(slots=True)
class _BranchRow:
    id: strawberry.ID
    name: str
    open: bool
    books: list[_BookRow]


@strawberry.type
class Author:
    """Who wrote a book."""

    id: strawberry.ID
    name: str


async def _author(root: Any, info: strawberry.Info) -> Author:
    found: Author = await info.context.authors.load(root.author_id)
    return found


@strawberry.type
class Book:
    """A book of a branch."""

    id: strawberry.ID
    title: str
    year: int
    price: float
    available: bool
    author: Author = strawberry.field(resolver=_author)


@strawberry.type
class Branch:
    """A branch of a library."""

    id: strawberry.ID
    name: str
    open: bool
    books: list[Book]


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def branches(self, info: strawberry.Info) -> list[Branch]:
        found: list[Branch] = info.context.branches
        return found


def _rows() -> list[_BranchRow]:
    def book(number: int) -> _BookRow:
        return _BookRow(
            strawberry.ID(f"b{number}"), f"Book {number}", 1900 + number % 120, number / 4, True, number % 7
        )

    return [
        _BranchRow(
            strawberry.ID(str(branch)), f"Branch {branch}", branch % 2 == 0,
            [book(branch * _LEAVES + leaf) for leaf in range(_LEAVES)],
        )
        for branch in range(_BRANCHES)
    ]  # fmt: skip


async def _load_authors(keys: list[int]) -> list[_AuthorRow]:
    return [_AuthorRow(strawberry.ID(f"a{key}"), f"Author {key}") for key in keys]


async def _measure(name: str, rows: list[_BranchRow], seconds: float) -> tuple[float, Any]:
    """Returns the operations a second of CPU time, and the data of one."""
    parser, validation = ParserCache(), ValidationCache()
    schema = strawberry.Schema(
        Query, execution_context_class=executor_class(name), extensions=[lambda: parser, lambda: validation]
    )
    count, began, data = 0, time.process_time(), None
    while time.process_time() - began < seconds:
        context = SimpleNamespace(branches=rows, authors=DataLoader(_load_authors))
        result = await schema.execute(_OPERATION, context_value=context)
        assert result.errors is None, result.errors
        count, data = count + 1, result.data
    return count / (time.process_time() - began), data


async def _main(seconds: float) -> None:
    rows = _rows()
    await _measure("compiled", rows, 0.01)
    generic, expected = await _measure("generic", rows, seconds)
    compiled, data = await _measure("compiled", rows, seconds)
    if data != expected:
        raise SystemExit("The executors do not agree.")
    print(f"{_BRANCHES * _LEAVES} objects with a relation each, of {_BRANCHES} lists; operations a second of CPU time:")
    print(f"generic {generic:.0f}, compiled {compiled:.0f}: {compiled / generic:.1f} times")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compares the compiled with the generic executor.")
    parser.add_argument("--seconds", type=float, default=3.0, help="CPU time for each executor")
    asyncio.run(_main(parser.parse_args().seconds))
