"""Every page of an operation: its connections are followed to their end, and the answers joined into one."""

from collections.abc import Callable, Mapping
from typing import Any

from queries.faults import Unanswered, WrongUse
from queries.saved import Saved
from queries.shape import Connection, Field

Ask = Callable[[Mapping[str, Any]], dict[str, Any]]
# Told after each page: entries so far, and how many there will be, where the answer says so.
Reached = Callable[[int, int | None], None]


def followed(operation: Saved) -> list[Connection]:
    """The connections whose pages are fetched to the end. Raises WrongUse for an operation that cannot be followed."""
    found = [connection for connection in operation.shape.connections if connection.after]
    variables = [connection.after for connection in found]
    if any(connection.in_list for connection in found) or len(set(variables)) < len(variables):
        raise WrongUse(f"{operation.name} has pages inside a list, or two lists that share a cursor: that has no end.")
    return found


def fetch_all(
    operation: Saved, variables: Mapping[str, Any], ask: Ask, reached: Reached = lambda done, total: None
) -> dict[str, Any]:
    """The whole answer: that to the first page, with the entries of every later one.

    Raises Unanswered where the list ends in mid-air: its owner is gone, or its cursor stands still.
    """
    connections = followed(operation)
    data = ask(variables)
    pages = [page for connection in connections if (page := _at(data, connection)) is not None]
    totals = [page.get("totalCount") for page in pages]
    total = None if None in totals or not totals else sum(totals)
    reached(_count(pages), total)
    for connection in connections:
        page = _at(data, connection)
        while page is not None and page["pageInfo"]["hasNextPage"]:
            cursor = page["pageInfo"]["endCursor"]
            following = _at(ask({**variables, connection.after: cursor}), connection)
            if following is None or following["pageInfo"]["endCursor"] == cursor:
                raise Unanswered(f"{'.'.join(connection.path)} changed while it was read: run this again.")
            for entries in ("nodes", "edges"):
                if entries in page:
                    page[entries] += following[entries]
            page["pageInfo"] = following["pageInfo"]
            reached(_count(pages), total)
    return data


def cut_short(operation: Saved, data: Mapping[str, Any]) -> list[str]:
    """What of an answer is only a first page, a line each: lists that the operation gives no way to follow."""
    found: list[str] = []

    def look(parent: Field, path: str, value: Any) -> None:
        if isinstance(value, list):
            for entry in value:
                look(parent, path, entry)
        elif isinstance(value, dict):
            if parent.is_connection and path not in listed:
                more = value.get("totalCount", 0) > _count([value]) or value.get("pageInfo", {}).get("hasNextPage")
                if more:
                    of_all = f" of {value['totalCount']}" if "totalCount" in value else ""
                    found.append(f"{path}: only the first {_count([value])}{of_all}")
            for key, child in parent.children.items():
                if child.children:
                    look(child, f"{path}.{key}" if path else key, value.get(key))

    listed = {".".join(connection.path) for connection in followed(operation)}
    look(operation.shape.root, "", data)
    return found


def _at(data: Mapping[str, Any], connection: Connection) -> dict[str, Any] | None:
    value: Any = data
    for key in connection.path:
        if value is None:
            return None
        value = value[key]
    return value


def _count(pages: list[dict[str, Any]]) -> int:
    return sum(len(page["nodes"] if "nodes" in page else page.get("edges", ())) for page in pages)
