"""Files that are written piece by piece, so that neither the rows nor the file have to be in memory."""

import csv
import datetime as dt
import io
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from .errors import UsageError
from .output import EXCEL_CELL, EXCEL_ROWS, add_definitions, as_csv, csv_cell, to_text
from .response_shape import Column, ColumnType
from .result import Result
from .rows import parse_value


class FileWriter(ABC):
    """Writes the rows of an operation to a file. `folder`: for what it needs until the file is complete."""

    def __init__(self, name: str, columns: Sequence[Column], path: Path, folder: Path) -> None:
        self.name = name
        self.columns = columns
        self.path = path
        self.folder = folder

    @abstractmethod
    def write(self, values: list[list[Any]]) -> None:
        """Adds rows: the values of each column, as the response has them. Raises UsageError for too many."""

    @abstractmethod
    def finish(self) -> None:
        """Completes the file."""


def _converted(values: list[Any], convert: Callable[[Any], Any]) -> list[Any]:
    """Returns what becomes of the values. Most are the same in many rows."""
    found = {value: convert(value) for value in set(values)}
    return [found[value] for value in values]


def _parsed(column: Column, values: list[Any]) -> list[Any]:
    if column.type not in _PARSED:
        return values
    return _converted(values, lambda value: parse_value(column.type, value))


_PARSED = (ColumnType.FLOAT, ColumnType.DATE, ColumnType.DATETIME)


class CsvWriter(FileWriter):
    """CSV: the header once, then the rows of each piece."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._file = self.path.open("wb")
        self._file.write(as_csv(Result(self.name, self.columns, [], {})))
        self._text = io.TextIOWrapper(self._file, encoding="utf-8", newline="")
        self._csv = csv.writer(self._text)

    def write(self, values: list[list[Any]]) -> None:
        cells = [self._cells(column, each) for column, each in zip(self.columns, values, strict=True)]
        self._csv.writerows(zip(*cells, strict=True))

    def _cells(self, column: Column, values: list[Any]) -> list[str]:
        def cell(value: Any) -> str:
            return csv_cell(parse_value(column.type, value), column.type)

        if column.type is ColumnType.TEXT_LIST:
            return list(map(cell, values))
        return _converted(values, cell)

    def finish(self) -> None:
        self._text.close()


class JsonWriter(FileWriter):
    """A JSON list with one object for each row, each in a line."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._file = self.path.open("wb")
        self._separator = "[\n"
        self._names = [column.name for column in self.columns]
        self._encode = json.JSONEncoder(ensure_ascii=False).encode

    def write(self, values: list[list[Any]]) -> None:
        plain = [self._plain(column, each) for column, each in zip(self.columns, values, strict=True)]
        for row in zip(*plain, strict=True):
            self._file.write((self._separator + self._encode(dict(zip(self._names, row, strict=True)))).encode())
            self._separator = ",\n"

    def _plain(self, column: Column, values: list[Any]) -> list[Any]:
        parsed = _parsed(column, values)
        if column.type not in (ColumnType.DATE, ColumnType.DATETIME):
            return parsed
        return _converted(parsed, lambda value: None if value is None else to_text(value))

    def finish(self) -> None:
        self._file.write(b"[]\n" if self._separator == "[\n" else b"\n]\n")
        self._file.close()


class ParquetWriter(FileWriter):
    """Parquet: a file for each piece, put together at the end without reading them all at once."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._pieces = self.folder / "pieces"
        self._pieces.mkdir()
        self._count = 0

    def write(self, values: list[list[Any]]) -> None:
        self._frame(values).write_parquet(self._pieces / f"{self._count:08}.parquet")
        self._count += 1

    def finish(self) -> None:
        import polars as pl

        if not self._count:
            self.write([[] for _ in self.columns])
        pl.scan_parquet(self._pieces / "*.parquet").sink_parquet(self.path, maintain_order=True)
        shutil.rmtree(self._pieces)

    def _frame(self, values: list[list[Any]]) -> Any:
        import polars as pl

        types = Result(self.name, self.columns, [], {}).polars().schema
        series = []
        for column, each in zip(self.columns, values, strict=True):
            if column.type in (ColumnType.DATE, ColumnType.DATETIME):
                each = _parsed(column, each)
            series.append(pl.Series(column.name, each, dtype=types[column.name]))
        return pl.DataFrame(series)


class XlsxWriter(FileWriter):
    """A workbook with one sheet, like that of `queries.output.as_xlsx`, whose rows go to the disk one by one."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        options = {"constant_memory": True, "tmpdir": str(self.folder), "default_date_format": "yyyy-mm-dd"}
        self._book = xlsxwriter.Workbook(str(self.path), options)
        self._sheet = self._book.add_worksheet(self.name[:31])
        self._header = header = self._book.add_format({"bold": True, "bottom": 1})
        self._formats = {
            ColumnType.DATETIME: self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            ColumnType.DATE: self._book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        for index, column in enumerate(self.columns):
            title = f"{column.name} (UTC)" if column.type is ColumnType.DATETIME else column.name
            self._sheet.set_column(index, index, min(len(title) + 8, 60))
            self._sheet.write_string(0, index, title, header)
        self._count = 0

    def write(self, values: list[list[Any]]) -> None:
        if self._count + len(values[0]) >= EXCEL_ROWS:
            raise UsageError("The rows are too many for an Excel sheet.")
        for row in zip(*values, strict=True):
            self._count += 1
            for index, (column, value) in enumerate(zip(self.columns, row, strict=True)):
                if value is not None:
                    self._write(index, column.type, parse_value(column.type, value))

    def _write(self, index: int, type_: ColumnType, value: Any) -> None:
        match type_:
            case ColumnType.INT | ColumnType.FLOAT:
                self._sheet.write_number(self._count, index, value)
            case ColumnType.BOOL:
                self._sheet.write_boolean(self._count, index, value)
            case ColumnType.DATE:
                self._sheet.write_datetime(self._count, index, value, self._formats[type_])
            case ColumnType.DATETIME:
                utc = value.astimezone(dt.UTC).replace(tzinfo=None)
                self._sheet.write_datetime(self._count, index, utc, self._formats[type_])
            case _:
                # write_string: a text that looks like a formula stays text.
                self._sheet.write_string(self._count, index, to_text(value)[:EXCEL_CELL])

    def finish(self) -> None:
        self._sheet.freeze_panes(1, 0)
        if self.columns:
            self._sheet.autofilter(0, 0, self._count, len(self.columns) - 1)
        add_definitions(self._book, Result(self.name, self.columns, [], {}), self._header)
        self._book.close()


WRITERS: dict[str, type[FileWriter]] = {
    "csv": CsvWriter,
    "json": JsonWriter,
    "parquet": ParquetWriter,
    "xlsx": XlsxWriter,
}
