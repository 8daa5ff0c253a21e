"""The Parquet file of a bulk export, which a program of its own makes of the rows on the disk."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from queries.file_writers import ParquetWriter
from queries.parquet_pieces import EXPORT, ROWS, RowsWriter
from queries.response_shape import Column, ColumnType
from tests.support.architecture import ROOT

COLUMNS = [
    Column("name", ColumnType.TEXT), Column("points", ColumnType.INT), Column("percent", ColumnType.FLOAT),
    Column("isDue", ColumnType.BOOL), Column("due", ColumnType.DATE), Column("readAt", ColumnType.DATETIME),
    Column("codes", ColumnType.TEXT_LIST),
]  # fmt: skip
FIRST: list[list[Any]] = [
    ["Zoë", ""], [1, None], [2, 2.5], [True, None], ["2026-01-31", None],
    ["2026-01-31T10:00:00+01:00", "2026-01-31T10:00:00.000001Z"], [["a", "b"], []],
]  # fmt: skip
SECOND: list[list[Any]] = [[None], [2**40], [None], [False], ["2024-02-29"], [None], [None]]


def make(folder: Path, *pieces: list[list[Any]]) -> list[dict[str, Any]]:
    """Writes the rows, runs the program in the folder, and returns what it says."""
    writer = RowsWriter("named", COLUMNS, folder / ROWS, folder)
    for piece in pieces:
        writer.write(piece)
    writer.finish()
    return said(folder)


def said(folder: Path) -> list[dict[str, Any]]:
    """Runs the program in a folder and returns what it says."""
    given, giving = os.pipe()
    command = [sys.executable, "-m", "queries.parquet_pieces", str(folder), "3"]
    try:
        made = subprocess.run(command, cwd=ROOT, stdin=given, capture_output=True, timeout=60)
    finally:
        os.close(given)
        os.close(giving)
    return [json.loads(line) for line in made.stdout.splitlines()]


@pytest.mark.parametrize("pieces", [(FIRST, SECOND), ()])
def test_the_file_is_that_of_one_process(pieces: tuple[list[list[Any]], ...], tmp_path: Path):
    direct = ParquetWriter("named", COLUMNS, tmp_path / "direct", tmp_path)
    for piece in pieces:
        direct.write(piece)
    direct.finish()
    assert make(tmp_path, *pieces) == [{"rows": 3, "done": True}]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["direct", EXPORT]
    expected, found = pl.read_parquet(tmp_path / "direct"), pl.read_parquet(tmp_path / EXPORT)
    assert found.schema == expected.schema and found.equals(expected)
    assert len(found) == sum(len(piece[0]) for piece in pieces)


def test_a_file_that_cannot_be_written_is_said_to_have_no_space(tmp_path: Path):
    (tmp_path / "pieces").touch()
    assert make(tmp_path, FIRST) == [{"failure": "NO_SPACE"}]


def test_the_program_ends_with_its_server(tmp_path: Path):
    folder = tmp_path / "export"
    folder.mkdir()
    # Rows without an end: the program waits for more.
    os.mkfifo(folder / ROWS)
    command = [sys.executable, "-m", "queries.parquet_pieces", str(folder), "3"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with open(folder / ROWS, "wb"):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 1
    assert not folder.exists()
    assert process.stdout is not None and process.stdout.read() == b""
    process.stdout.close()
