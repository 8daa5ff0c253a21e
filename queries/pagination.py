"""Fetches every page of an operation's connections and merges them into one response."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import ServerError, UsageError
from .operations import SavedOperation
from .response_shape import Connection, Field

Execute = Callable[[Mapping[str, Any]], dict[str, Any]]
# Called after each page with the number of entries fetched, and their total where the response has it.
ProgressCallback = Callable[[int, int | None], None]
# Where a value is in a response: response keys, and the places of entries in their lists.
_Path = tuple[str | int, ...]


def paginated_connections(operation: SavedOperation) -> list[Connection]:
    """Returns the connections that take a cursor variable. Raises UsageError if their pages cannot be followed."""
    connections = [connection for connection in operation.shape.connections if connection.cursor_variable]
    variables = [connection.cursor_variable for connection in connections]
    if len(set(variables)) < len(variables):
        raise UsageError(
            f"{operation.name} cannot be paginated: two connections share a cursor. Give each its own variable."
        )
    return connections


def fetch_all_pages(
    operation: SavedOperation,
    variables: Mapping[str, Any],
    execute: Execute,
    on_progress: ProgressCallback = lambda done, total: None,
) -> dict[str, Any]:
    """Returns the first page's response with the entries of all later pages, also of lists inside lists.

    Raises ServerError if a connection disappears or its cursor does not advance.
    """
    connections = paginated_connections(operation)
    nested = NestedPages(execute, [connection for connection in connections if connection.inside_list])
    outer = [connection for connection in connections if not connection.inside_list]
    data = execute(variables)
    nested.complete(data, variables, ())
    pages = [page for connection in outer if (page := _value_at(data, connection.path)) is not None]
    totals = [page["totalCount"] for page in pages if page.get("totalCount") is not None]
    total = sum(totals) if totals and len(totals) == len(pages) else None
    on_progress(_entry_count(pages), total)
    for connection in outer:
        page = _value_at(data, connection.path)
        while page is not None and page["pageInfo"]["hasNextPage"]:
            next_variables = {**variables, str(connection.cursor_variable): page["pageInfo"]["endCursor"]}
            response = execute(next_variables)
            nested.complete(response, next_variables, connection.path)
            _append(page, _value_at(response, connection.path), connection)
            on_progress(_entry_count(pages), total)
    return data


class NestedPages:
    """Follows connections inside lists: the operation is sent again with the cursor of one of them.

    Its own list is taken from the response, and the rest of it is dropped. So the server's saved text is enough.
    """

    def __init__(self, execute: Execute, connections: list[Connection]) -> None:
        self._execute = execute
        self._connections = sorted(connections, key=lambda connection: len(connection.path))

    def complete(self, response: dict[str, Any], variables: Mapping[str, Any], under: _Path) -> None:
        """Fetches the further pages of every connection below the path `under` of a response to `variables`."""
        keys = tuple(step for step in under if isinstance(step, str))
        below = [each for each in self._connections if len(each.path) > len(keys) and each.path[: len(keys)] == keys]
        # A connection inside another of these is completed with the pages of that one.
        outermost = [each for each in below if not any(_inside(each, other) for other in below)]
        for connection in outermost:
            for path in _places(_value_at(response, under), connection.path[len(keys) :], under):
                self._complete_one(response, variables, connection, path)

    def _complete_one(
        self, response: dict[str, Any], variables: Mapping[str, Any], connection: Connection, path: _Path
    ) -> None:
        self.complete(response, variables, path)
        page = _value_at(response, path)
        while page["pageInfo"]["hasNextPage"]:
            next_variables = {**variables, str(connection.cursor_variable): page["pageInfo"]["endCursor"]}
            further = self._execute(next_variables)
            if _owner(further, path) != _owner(response, path):
                raise list_changed(connection)
            self.complete(further, next_variables, path)
            _append(page, _value_at(further, path), connection)


def _inside(connection: Connection, other: Connection) -> bool:
    return len(connection.path) > len(other.path) and connection.path[: len(other.path)] == other.path


def _places(value: Any, keys: tuple[str, ...], path: _Path) -> Iterator[_Path]:
    """Yields the path of each object that the keys lead to, through every entry of the lists on the way."""
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _places(entry, keys, (*path, index))
    elif value is not None:
        if not keys:
            yield path
        else:
            yield from _places(value.get(keys[0]), keys[1:], (*path, keys[0]))


def _owner(response: Mapping[str, Any], path: _Path) -> Any:
    """Returns the id of the list entry that a connection belongs to, or None if the response has none."""
    last = max(index for index, step in enumerate(path) if isinstance(step, int))
    entry = _value_at(response, path[: last + 1])
    return entry.get("id") if entry is not None else None


def _append(page: dict[str, Any], next_page: dict[str, Any] | None, connection: Connection) -> None:
    if next_page is None or next_page["pageInfo"]["endCursor"] == page["pageInfo"]["endCursor"]:
        raise list_changed(connection)
    for entries in ("nodes", "edges"):
        if entries in page:
            page[entries] += next_page[entries]
    page["pageInfo"] = next_page["pageInfo"]


def list_changed(connection: Connection) -> ServerError:
    """Returns the error for a list whose pages do not follow each other."""
    return ServerError(f"{'.'.join(connection.path)} changed while it was being read. Run this again.")


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


def _value_at(data: Any, path: _Path) -> Any:
    """Returns the value at a path, or None if something on the way is missing."""
    value = data
    for step in path:
        if value is None or (isinstance(step, int) and step >= len(value)):
            return None
        value = value[step]
    return value


def _entry_count(pages: list[dict[str, Any]]) -> int:
    return sum(len(page["nodes"] if "nodes" in page else page.get("edges", ())) for page in pages)
