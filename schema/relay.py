"""Nodes and connections, as Relay's clients know them: what has an id, and pages of a list."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import strawberry

from resolvers import node as nodes
from schema.field_builders import Id, Info, attribute

C = TypeVar("C", bound=type)
T = TypeVar("T")

# The GraphQL type of each light row.
_TYPE_OF_ROW: dict[type, str] = {}


@strawberry.interface(description="Something with an identifier, by which `node` and `nodes` read it again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, unique over all types, and never changing.")

    @classmethod
    def resolve_type(cls, source: Any, info: Any, abstract: Any) -> str | None:
        """By the row's class, without asking one type after another."""
        return _TYPE_OF_ROW.get(source.__class__)


def node(row: type, description: str) -> Callable[[C], C]:
    """Makes a class the GraphQL type of a light row: `@node(EvidenceRow, "…") class Evidence(Node)`."""

    def make(cls: C) -> C:
        def is_type_of(_: type, source: Any, info: Any) -> bool:
            return source.__class__ is row

        cls.is_type_of = classmethod(is_type_of)  # type: ignore[attr-defined]
        # For the compiled executor: the class that a value must have to be of this type.
        cls.__row__ = row  # type: ignore[attr-defined]
        _TYPE_OF_ROW[row] = cls.__name__
        return strawberry.type(cls, description=description)

    return make


def value(row: type, description: str) -> Callable[[C], C]:
    """Makes a class the GraphQL type of a light row that has no id: `@value(ProgressRow, "…") class Progress`."""

    def make(cls: C) -> C:
        cls.__row__ = row  # type: ignore[attr-defined]
        return strawberry.type(cls, description=description)

    return make


def record(type_name: str, description: str) -> Any:
    """A field of Query: one record of a type by its id; null if there is none that the viewer may see."""

    async def resolve(root: Any, info: Info, id: Id) -> Any:
        return await nodes.of_type(info.context, type_name, id)

    return strawberry.field(
        resolver=resolve, description=f"{description}; null if there is none that the viewer may see."
    )


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = attribute("Whether more follows this page.")
    has_previous_page: bool = attribute("Whether something precedes this page.")
    start_cursor: str | None = attribute(
        "The place of the page's first entry: give it as `before` for the previous page; null on an empty page."
    )
    end_cursor: str | None = attribute(
        "The place of the page's last entry: give it as `after` for the next page; null on an empty page."
    )


@strawberry.type(description="An entry of a page, with its place in the list.")
class Edge(Generic[T]):
    cursor: str = attribute("The entry's place: give it as `after` for what follows it, as `before` for what precedes.")
    node: T = attribute("The entry itself.")


@strawberry.type(description="A page of a list that the viewer may see.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = attribute("The page's entries, each with its place.")
    nodes: list[T] = attribute("The page's entries.")
    page_info: PageInfo = attribute("Where this page lies in the list.")

    @strawberry.field(description="How many entries the whole list has for this viewer, whatever the page.")
    def total_count(root: Any) -> int:
        return root.count()
