"""Records with an id and pages of lists, by the conventions of Relay; the decorators of GraphQL types."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import strawberry

from resolvers import node as nodes
from schema.field_builders import Id, attribute, resolved

C = TypeVar("C", bound=type)
T = TypeVar("T")

# The GraphQL type of each light row.
_TYPE_OF_ROW: dict[type, str] = {}


@strawberry.interface(description="A record with an id.")
class Node:
    id: strawberry.ID = attribute(
        "The id of the record: opaque, unique over all types, and permanent. `node` and `nodes` return the record by "
        "it."
    )

    @classmethod
    def resolve_type(cls, source: Any, info: Any, abstract: Any) -> str | None:
        """Returns the type by the row's class, without calling `is_type_of` of one type after another."""
        return _TYPE_OF_ROW.get(source.__class__)


def node(row: type, description: str) -> Callable[[C], C]:
    """Makes a class the GraphQL type of a light row: `@node(EvidenceRow, "...") class Evidence(Node)`."""

    def decorate(cls: C) -> C:
        def is_type_of(_: type, source: Any, info: Any) -> bool:
            return source.__class__ is row

        type_: Any = cls
        type_.is_type_of = classmethod(is_type_of)
        # The compiled executor reads this: values of the type are instances of the row.
        type_.__row__ = row
        _TYPE_OF_ROW[row] = cls.__name__
        return strawberry.type(cls, description=description)

    return decorate


def value(row: type, description: str) -> Callable[[C], C]:
    """Makes a class the GraphQL type of a row without an id: `@value(ProgressRow, "...") class Progress`."""

    def decorate(cls: C) -> C:
        type_: Any = cls
        type_.__row__ = row
        return strawberry.type(cls, description=description)

    return decorate


def record(type_name: str, description: str) -> Any:
    """A field of Query that returns a record of one type by its id: `record("Learner", "The learner with this id")`."""
    return resolved(
        f"{description}; null if it does not exist or the viewer may not see it.",
        lambda root, info, id: nodes.of_type(info.context, type_name, id),
        id=Id,
    )


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = attribute("Whether there are entries after this page.")
    has_previous_page: bool = attribute("Whether there are entries before this page.")
    start_cursor: str | None = attribute(
        "The cursor of the first entry: use it as `before` for the previous page. Null on an empty page."
    )
    end_cursor: str | None = attribute(
        "The cursor of the last entry: use it as `after` for the next page. Null on an empty page."
    )


@strawberry.type(description="An entry of a page with its cursor.")
class Edge(Generic[T]):
    cursor: str = attribute("The position of the entry in the list, for `after` or `before`.")
    node: T = attribute("The entry itself.")


def _total_count(page: Any, _: Any) -> Any:
    # A number that was read with the page takes no coroutine, which would be a task of the event loop.
    return page.count() if page.known_count is None else page.known_count


@strawberry.type(description="A page of a list. The list has only entries that the viewer may see.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = attribute("The entries of the page with their cursors.")
    nodes: list[T] = attribute("The entries of the page.")
    page_info: PageInfo = attribute("The position of the page in the list.")
    total_count: int = resolved("The number of entries of the whole list, on all pages.", _total_count)
