"""Writes everything that a saved operation gives to a file, piece by piece: for bulk exports."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from .columns import Columns
from .errors import UsageError
from .operations import SavedOperation, get_query
from .pagination import fetch_all_pages, paginated_connections
from .pieces import WRITERS
from .record_ids import OPERATION as RECORD_IDS
from .record_ids import check_record_ids
from .response_shape import Connection, Field
from .result import AS_OF
from .variables import variable_types

# Runs a saved operation once, by its name, with these variables, and returns its data.
Run = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]

# The variable for the size of a page, where an operation has one, and the size with which a page of much below each
# entry still fits in memory with the rows that wait to be written.
_SIZE, _PAGE = "first", 50
# Rows that are put together before they are written.
_PIECE = 50_000


async def write_all(
    name: str,
    variables: Mapping[str, Any],
    run: Run,
    format: str,
    path: Path,
    folder: Path,
    as_of: dt.datetime,
    on_rows: Callable[[int], None],
) -> int:
    """Writes all pages of a query as of a time; returns the number of rows. `on_rows` is called after each page.

    Raises WrongId for an id of no record that the viewer sees, UsageError for more rows than the format holds,
    ServerError, and what `run` raises.
    """
    operation = get_query(name)
    await _check_ids(operation, variables, run)
    columns = Columns(operation.shape)
    writer = WRITERS[format](operation.name, [*columns.columns, AS_OF], path, folder)
    count = 0

    def write() -> None:
        rows = len(columns)
        writer.write([*columns.take(), [as_of.isoformat()] * rows])

    async def add(data: Mapping[str, Any]) -> None:
        nonlocal count
        before = len(columns)
        columns.add(data)
        count += len(columns) - before
        if len(columns) >= _PIECE:
            write()
        on_rows(count)

    connection = _streamed(operation)
    if connection is None:
        await add(await _whole(operation, variables, run))
    else:
        given = dict(variables)
        if _SIZE in variable_types(operation):
            given.setdefault(_SIZE, _PAGE)
        while True:
            data = await run(name, given)
            await add(data)
            page: Any = data
            for key in connection.path:
                page = page and page[key]
            if page is None or not page["pageInfo"]["hasNextPage"]:
                break
            given[str(connection.cursor_variable)] = page["pageInfo"]["endCursor"]
    if len(columns) or not count:
        write()
    writer.finish()
    return count


def _streamed(operation: SavedOperation) -> Connection | None:
    """Returns the only connection with pages, if no other list is beside it: then each page has rows of its own."""
    connections = paginated_connections(operation)
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


async def _whole(operation: SavedOperation, variables: Mapping[str, Any], run: Run) -> dict[str, Any]:
    loop = asyncio.get_running_loop()

    def execute(values: Mapping[str, Any]) -> dict[str, Any]:
        async def once() -> dict[str, Any]:
            return await run(operation.name, values)

        return asyncio.run_coroutine_threadsafe(once(), loop).result()

    return await asyncio.to_thread(fetch_all_pages, operation, variables, execute)


class WrongId(Exception):
    """A variable has an id of no record that the viewer may see."""


async def _check_ids(operation: SavedOperation, variables: Mapping[str, Any], run: Run) -> None:
    loop = asyncio.get_running_loop()

    def find(values: Mapping[str, Any]) -> dict[str, Any]:
        async def once() -> dict[str, Any]:
            return await run(RECORD_IDS, values)

        return asyncio.run_coroutine_threadsafe(once(), loop).result()

    try:
        await asyncio.to_thread(check_record_ids, operation, variables, find)
    except UsageError:
        raise WrongId from None
