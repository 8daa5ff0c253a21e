"""Fetches every page of an operation's connections and merges them into one response."""

from collections.abc import Callable, Mapping
from typing import Any

from queries.errors import ServerError, UsageError
from queries.operations import SavedOperation
from queries.response_shape import Connection, Field

Execute = Callable[[Mapping[str, Any]], dict[str, Any]]
# Called after each page with the number of entries fetched, and their total where the response has it.
ProgressCallback = Callable[[int, int | None], None]


def paginated_connections(operation: SavedOperation) -> list[Connection]:
    """Returns the connections that take a cursor variable. Raises UsageError if their pages cannot be followed."""
    connections = [connection for connection in operation.shape.connections if connection.cursor_variable]
    variables = [connection.cursor_variable for connection in connections]
    if any(connection.inside_list for connection in connections) or len(set(variables)) < len(variables):
        raise UsageError(
            f"{operation.name} cannot be paginated: a connection is inside a list, or two connections share a cursor."
        )
    return connections


def fetch_all_pages(
    operation: SavedOperation,
    variables: Mapping[str, Any],
    execute: Execute,
    on_progress: ProgressCallback = lambda done, total: None,
) -> dict[str, Any]:
    """Returns the first page's response with the entries of all later pages.

    Raises ServerError if a connection disappears or its cursor does not advance.
    """
    connections = paginated_connections(operation)
    data = execute(variables)
    pages = [page for connection in connections if (page := _page_at(data, connection)) is not None]
    totals = [page["totalCount"] for page in pages if page.get("totalCount") is not None]
    total = sum(totals) if totals and len(totals) == len(pages) else None
    on_progress(_entry_count(pages), total)
    for connection in connections:
        page = _page_at(data, connection)
        while page is not None and page["pageInfo"]["hasNextPage"]:
            cursor = page["pageInfo"]["endCursor"]
            next_page = _page_at(execute({**variables, str(connection.cursor_variable): cursor}), connection)
            if next_page is None or next_page["pageInfo"]["endCursor"] == cursor:
                raise ServerError(f"{'.'.join(connection.path)} changed while it was being read. Run this again.")
            for entries in ("nodes", "edges"):
                if entries in page:
                    page[entries] += next_page[entries]
            page["pageInfo"] = next_page["pageInfo"]
            on_progress(_entry_count(pages), total)
    return data


def truncated_lists(operation: SavedOperation, data: Mapping[str, Any]) -> list[str]:
    """Describes each connection of which only the first page was fetched, because it takes no cursor variable."""
    notes: list[str] = []

    def visit(field: Field, path: str, value: Any) -> None:
        if isinstance(value, list):
            for entry in value:
                visit(field, path, entry)
        elif isinstance(value, dict):
            if field.is_connection and path not in complete:
                more = value.get("totalCount", 0) > _entry_count([value]) or value.get("pageInfo", {}).get(
                    "hasNextPage"
                )
                if more:
                    of_total = f" of {value['totalCount']}" if "totalCount" in value else ""
                    notes.append(f"{path}: only the first {_entry_count([value])}{of_total}")
            for key, child in field.children.items():
                if child.children:
                    visit(child, f"{path}.{key}" if path else key, value.get(key))

    complete = {".".join(connection.path) for connection in paginated_connections(operation)}
    visit(operation.shape.root, "", data)
    return notes


def _page_at(data: Mapping[str, Any], connection: Connection) -> dict[str, Any] | None:
    value: Any = data
    for key in connection.path:
        if value is None:
            return None
        value = value[key]
    return value


def _entry_count(pages: list[dict[str, Any]]) -> int:
    return sum(len(page["nodes"] if "nodes" in page else page.get("edges", ())) for page in pages)
