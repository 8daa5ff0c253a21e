"""Fetches a query's response piece by piece, each with rows of its own: the whole need not be in memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .operations import SavedOperation
from .pagination import Execute, NestedPages, fetch_all_pages, list_changed, paginated_connections
from .response_shape import Connection, Field


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a response. `cursor` is where the next part begins, None if this is the last."""

    data: dict[str, Any]
    cursor: str | None


def fetch_pieces(
    operation: SavedOperation, variables: Mapping[str, Any], execute: Execute, cursor: str | None = None
) -> Iterator[Piece]:
    """Yields the parts of a query's response, from `cursor` on: one for each page of its only list with pages.

    What several such lists give, or another list beside the pages, is one part. Raises ServerError.
    """
    connection = paged_connection(operation)
    if connection is None:
        yield Piece(fetch_all_pages(operation, variables, execute), None)
        return
    nested = NestedPages(execute, [each for each in paginated_connections(operation) if each.inside_list])
    given = dict(variables)
    while True:
        if cursor is not None:
            given[str(connection.cursor_variable)] = cursor
        data = execute(given)
        nested.complete(data, given, ())
        page: Any = data
        for key in connection.path:
            page = page and page[key]
        if page is None and cursor is not None:
            raise list_changed(connection)
        following = page["pageInfo"]["endCursor"] if page is not None and page["pageInfo"]["hasNextPage"] else None
        yield Piece(data, following)
        if following is None:
            return
        if following == cursor:
            raise list_changed(connection)
        cursor = following


def paged_connection(operation: SavedOperation) -> Connection | None:
    """Returns the connection whose pages are followed, if no other list is beside it: each page has rows of its own."""
    connections = [each for each in paginated_connections(operation) if not each.inside_list]
    if len(connections) != 1:
        return None
    field = operation.shape.root
    for key in connections[0].path:
        if any(_has_list(child) for other, child in field.children.items() if other != key):
            return None
        field = field.children[key]
    return connections[0]


def _has_list(field: Field) -> bool:
    is_list = (field.is_list and field.column_type is None) or field.is_connection
    return is_list or any(map(_has_list, field.children.values()))
