"""Columns of a response: the rows are those of `queries.rows`, for every saved query and any response."""

import datetime as dt
import io
import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from queries.bulk import write_all
from queries.columns import Columns
from queries.file_writers import WRITERS
from queries.operations import SavedOperation, saved_operations
from queries.output import FORMATS
from queries.response_shape import ColumnType, Field
from queries.result import AS_OF as AS_OF_COLUMN
from queries.result import Result
from queries.rows import parse_value, to_rows

AS_OF = dt.datetime(2026, 11, 28, 18, tzinfo=dt.UTC)
QUERIES = {name: each for name, each in saved_operations().items() if each.is_query}
_VALUES: dict[ColumnType, list[Any]] = {
    ColumnType.TEXT: ["Ann", "=1+1", 'é; "x"\n', ""],
    ColumnType.INT: [0, 7, -3],
    ColumnType.FLOAT: [1.5, 2],
    ColumnType.BOOL: [True, False],
    ColumnType.DATE: ["2026-11-02"],
    ColumnType.DATETIME: ["2026-11-02T10:00:00.123456+00:00"],
    ColumnType.TEXT_LIST: [[], ["A", "B"]],
}


def response(field: Field, choose: random.Random) -> dict[str, Any]:
    """A response of the shape: lists of up to three, and some values and objects that are null."""
    found: dict[str, Any] = {}
    for key, child in field.children.items():
        if child.column_type is not None:
            found[key] = None if choose.random() < 0.2 else choose.choice(_VALUES[child.column_type])
        elif child.is_list:
            found[key] = [response(child, choose) for _ in range(choose.randrange(4))]
        elif choose.random() < 0.15:
            found[key] = None
        else:
            found[key] = response(child, choose)
    return found


def rows_of(operation: SavedOperation, *data: dict[str, Any]) -> list[dict[str, Any]]:
    columns = Columns(operation.shape)
    for each in data:
        columns.add(each)
    count = len(columns)
    taken = columns.take()
    assert {len(values) for values in taken} <= {count} and len(columns) == 0
    parsed = [
        [parse_value(column.type, value) for value in values]
        for column, values in zip(columns.columns, taken, strict=True)
    ]
    return [
        dict(zip([column.name for column in columns.columns], row, strict=True)) for row in zip(*parsed, strict=True)
    ]


@pytest.mark.parametrize("name", QUERIES)
def test_columns_are_the_rows(name: str):
    operation, choose = QUERIES[name], random.Random(name)
    several = [response(operation.shape.root, choose) for _ in range(12)]
    assert rows_of(operation, *several) == [row for each in several for row in to_rows(operation.shape, each)]


@pytest.mark.parametrize("format", WRITERS)
def test_pieces_are_the_file(format: str, tmp_path: Path):
    """Written piece by piece, a file is the one that is made at once."""
    operation, choose = QUERIES["overdue_actions"], random.Random(7)
    pages = [response(operation.shape.root, choose) for _ in range(6)]
    connection = next(iter(operation.shape.root.children))
    for number, page in enumerate(pages):
        page[connection] = page[connection] or response(operation.shape.root.children[connection], random.Random(1))
        page[connection]["pageInfo"] = {"hasNextPage": number < 5, "endCursor": f"c{number}"}
    asked: list[Any] = []

    def run(name: str, variables: Any) -> dict[str, Any]:
        asked.append(variables.get("after"))
        return pages[len(asked) - 1]

    said: list[int] = []
    given = ("overdue_actions", {}, run, format, tmp_path / "export", tmp_path, AS_OF, said.append)
    count = write_all(*given, piece_rows=5).count
    assert asked == [None, "c0", "c1", "c2", "c3", "c4"]
    rows = [row for page in pages for row in Result.of_data(operation, page, AS_OF).rows]
    assert count == len(rows) == said[-1] and count > 6
    whole = FORMATS[format](Result(operation.name, [*operation.shape.columns, AS_OF_COLUMN], rows, {}))
    written = (tmp_path / "export").read_bytes()
    if format == "json":
        assert json.loads(written) == json.loads(whole)
    elif format == "csv":
        assert written == whole
    elif format == "parquet":
        assert pl.read_parquet(io.BytesIO(written)).equals(pl.read_parquet(io.BytesIO(whole)))
    else:
        assert cells(written) == cells(whole)


def cells(workbook: bytes) -> list[tuple[Any, ...]]:
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(workbook)).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


@pytest.mark.parametrize("format", WRITERS)
def test_a_file_without_rows(format: str, tmp_path: Path):
    operation = QUERIES["overdue_actions"]
    connection = next(iter(operation.shape.root.children))

    def run(name: str, variables: Any) -> dict[str, Any]:
        return {connection: {"totalCount": 0, "nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}}

    said: list[int] = []
    path = tmp_path / "export"
    assert write_all("overdue_actions", {}, run, format, path, tmp_path, AS_OF, said.append).count == 0
    written = path.read_bytes()
    columns = [*(column.name for column in operation.shape.columns), "asOf"]
    if format == "parquet":
        assert pl.read_parquet(io.BytesIO(written)).columns == columns
    if format == "json":
        assert json.loads(written) == []


@pytest.mark.parametrize("format", WRITERS)
def test_memory_does_not_grow_with_the_rows(format: str, tmp_path: Path):
    """Four times the rows take as much memory: what is written is in no list."""
    operation = QUERIES["overdue_actions"]
    connection = next(iter(operation.shape.root.children))
    shape = operation.shape.root.children[connection].children["nodes"]

    def peak(pages: int) -> tuple[int, int]:
        choose, remaining = random.Random(7), list(range(pages))[::-1]

        def run(name: str, variables: Any) -> dict[str, Any]:
            number = remaining.pop()
            more = {"hasNextPage": bool(remaining), "endCursor": f"c{number}"}
            nodes = [response(shape, choose) for _ in range(40)]
            return {connection: {"totalCount": None, "nodes": nodes, "pageInfo": more}}

        folder = tmp_path / f"{pages}"
        folder.mkdir()
        tracemalloc.start()
        try:
            written = write_all("overdue_actions", {}, run, format, folder / "export", folder, AS_OF, piece_rows=60)
            return written.count, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The first call imports what it needs, and caches it.
    peak(1)
    (rows, once), (more_rows, of_more) = peak(5), peak(20)
    assert more_rows == 4 * rows > 150
    assert of_more < 1.25 * once
