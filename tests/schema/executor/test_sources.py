"""What a compiled query reads of its sources, and what happens when it reads more."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry

from schema.executor import executor_class
from schema.executor.sources import SourceReads


def reading(*attributes: str, **others: Any) -> Callable[[Any], Any]:
    """Marks a resolver with what it reads."""

    def mark(resolver: Any) -> Any:
        resolver.reads, resolver.other_rows = attributes, others.get("others", {})
        return resolver

    return mark


@dataclass(slots=True)
class SiteRow:
    key: int
    name: str
    town: str


@dataclass(slots=True)
class PersonRow:
    key: int
    name: str
    site: SiteRow


class Context:
    """Makes rows of the attributes that are read, as a loader does."""

    def __init__(self) -> None:
        self.reads: SourceReads | None = None
        self.restarts = 0

    def set_reads(self, reads: SourceReads | None, of_payload: bool) -> None:
        assert not of_payload
        self.reads = reads

    def restart(self) -> None:
        self.reads = None
        self.restarts += 1

    def row(self, cls: Any, **values: Any) -> Any:
        attributes = self.reads.attributes if self.reads is not None else {}
        row = object.__new__(cls)
        for name, value in values.items():
            if cls not in attributes or name in attributes[cls]:
                setattr(row, name, value)
        return row


@strawberry.type
class Site:
    __row__ = SiteRow
    name: str
    town: str


@strawberry.type
class Person:
    __row__ = PersonRow
    name: str
    site: Site

    @strawberry.field
    @reading("key")
    def number(root: PersonRow) -> int:
        return root.key

    @strawberry.field
    @reading("site", others={SiteRow: ("town",)})
    def place(root: PersonRow) -> str:
        return root.site.town

    @strawberry.field
    @reading(others=None)
    def everything(root: PersonRow) -> str:
        return f"{root.key} {root.name} {root.site.town}"

    @strawberry.field
    def unmarked(root: PersonRow) -> str:
        return f"{root.key} {root.name}"

    @strawberry.field
    @reading("name")
    def mistaken(root: PersonRow) -> int:
        return root.key

    @strawberry.field
    @reading("name")
    def wrong(root: PersonRow) -> str | None:
        return root.nothing


@strawberry.type
class Query:
    @strawberry.field
    def person(self, info: strawberry.Info) -> Person:
        site = info.context.row(SiteRow, key=1, name="Hull", town="Hull")
        return info.context.row(PersonRow, key=7, name="Ada", site=site)

    @strawberry.field
    def site(self, info: strawberry.Info) -> Site:
        return info.context.row(SiteRow, key=1, name="Hull", town="Hull")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ person { name } }", {PersonRow: {"name"}}),
        ("{ person { __typename } }", {PersonRow: set()}),
        ("{ person { number } }", {PersonRow: {"key"}}),
        ("{ person { ...P site { name } } } fragment P on Person { n: name }",
         {PersonRow: {"name", "site"}, SiteRow: {"name"}}),
        # What a resolver reads of another row counts where that row is selected.
        ("{ person { place site { name } } }", {PersonRow: {"site"}, SiteRow: {"name", "town"}}),
        ("{ person { place } }", {PersonRow: {"site"}}),
        # The rows of all places of the operation count.
        ("{ person { site { name } } site { town } }", {PersonRow: {"site"}, SiteRow: {"name", "town"}}),
        ("{ person { unmarked site { name } } }", {SiteRow: {"name"}}),
        ("{ person { everything site { name } } }", {}),
    ],
)  # fmt: skip
async def test_a_query_knows_what_it_reads(text: str, expected: dict[type, set[str]]) -> None:
    executor = executor_class()
    context = Context()
    answer = await strawberry.Schema(Query, execution_context_class=executor).execute(text, context_value=context)
    assert answer.errors is None
    assert context.reads is not None and context.reads.attributes == expected
    assert (executor.counters().executed, executor.counters().widened) == (1, 0)


async def test_what_was_not_declared_is_read_from_whole_rows_and_counted() -> None:
    executor = executor_class()
    schema = strawberry.Schema(Query, execution_context_class=executor)
    parsed = "{ person { mistaken } }"
    contexts = [Context(), Context()]
    from graphql import parse
    from graphql.execution import execute

    document = parse(parsed)
    for context in contexts:
        result: Any = execute(schema._schema, document, context_value=context, executor_class=executor)
        assert (result.data, result.errors) == ({"person": {"mistaken": 7}}, None)
    counters = executor.counters()
    # The first runs again; the second knows.
    assert [context.restarts for context in contexts] == [1, 0]
    assert (counters.executed, counters.deoptimized, counters.widened) == (1, 1, 1)


async def test_an_error_of_another_kind_does_not_make_rows_whole() -> None:
    executor = executor_class()
    context = Context()
    schema = strawberry.Schema(Query, execution_context_class=executor)
    answer = await schema.execute("{ person { wrong } }", context_value=context)
    assert answer.data == {"person": {"wrong": None}} and len(answer.errors or ()) == 1
    assert (executor.counters().deoptimized, executor.counters().widened) == (1, 0)
