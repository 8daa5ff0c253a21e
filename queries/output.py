"""Writes rows as a text table, JSON, CSV, Excel or Parquet."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xlsxwriter

from .descriptions import unit_of
from .errors import UsageError
from .response_shape import ColumnType
from .result import AS_OF, Result
from .saving import save_bytes

# A longer cell of a text table is cut.
MAX_TABLE_CELL = 40
# Excel's limits.
EXCEL_ROWS = 1_048_576
EXCEL_CELL = 32_767
# First characters that make a spreadsheet treat a text as a formula.
_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n")


def choose_format(path: Path | None, format: str | None) -> str:
    """Returns the given format, else the one of the file's extension, else `table`. Raises UsageError."""
    chosen = format or (path.suffix.removeprefix(".").lower() if path and path.suffix else "table")
    if chosen not in FORMATS:
        raise UsageError(f"Unknown format {chosen!r}. Use one of {', '.join(FORMATS)}.")
    if path is None and chosen in BINARY:
        raise UsageError(f"{chosen} is a binary format. Name a file with --out.")
    return chosen


def save(result: Result, path: Path, format: str | None = None) -> None:
    """Writes a file, replacing an existing one only when the new one is complete. Raises UsageError."""
    save_bytes(path, [FORMATS[choose_format(path, format)](result)])


def to_text(value: Any) -> str:
    """Returns a value as text: dates and times in ISO 8601, list entries separated by semicolons."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return str(value)


def as_table(result: Result) -> bytes:
    """Returns aligned columns of text, with numbers to the right and long cells cut; without `asOf`, one moment."""
    columns = [column for column in result.columns if column != AS_OF]
    titles = [column.name for column in columns]
    lines = [[_table_cell(to_text(row[title])) for title in titles] for row in result.rows]
    widths = [max(map(len, texts)) for texts in zip(titles, *lines, strict=True)]
    right_aligned = [column.type in (ColumnType.INT, ColumnType.FLOAT) for column in columns]

    def format_line(cells: list[str]) -> str:
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, right_aligned, strict=True)
        )
        return "  ".join(padded).rstrip()

    rule = format_line(["-" * width for width in widths])
    return "\n".join([format_line(titles), rule, *map(format_line, lines), ""]).encode()


def _table_cell(text: str) -> str:
    # Texts may hold line breaks and terminal control characters.
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= MAX_TABLE_CELL else text[: MAX_TABLE_CELL - 1] + "…"


def as_json(result: Result) -> bytes:
    """Returns a JSON list with one object for each row."""

    def plain(value: Any) -> Any:
        return to_text(value) if isinstance(value, dt.date) else value

    rows = [{name: plain(value) for name, value in row.items()} for row in result.rows]
    return (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode()


def as_csv(result: Result) -> bytes:
    """Returns CSV (RFC 4180) in UTF-8 with a byte order mark, without which Excel misreads accents.

    A text that a spreadsheet would treat as a formula gets an apostrophe first.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([column.name for column in result.columns])
    for row in result.rows:
        writer.writerow([csv_cell(row[column.name], column.type) for column in result.columns])
    return buffer.getvalue().encode("utf-8-sig")


def csv_cell(value: Any, column_type: ColumnType) -> str:
    """Returns the text of a value in CSV."""
    text = to_text(value)
    is_text = column_type in (ColumnType.TEXT, ColumnType.TEXT_LIST)
    return "'" + text if is_text and text.startswith(_FORMULA_PREFIXES) else text


def as_xlsx(result: Result) -> bytes:
    """Returns a workbook: the rows, with frozen header and a filter on each column, and a sheet of definitions.

    Times are in UTC (Excel has no offset).
    """
    if len(result.rows) >= EXCEL_ROWS:
        raise UsageError(f"{len(result.rows):,} rows are too many for an Excel sheet. Use csv or parquet.")
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(result.name[:31])
    header_format = book.add_format({"bold": True, "bottom": 1})
    datetime_format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    date_format = book.add_format({"num_format": "yyyy-mm-dd"})
    for column_index, column in enumerate(result.columns):
        title = f"{column.name} (UTC)" if column.type is ColumnType.DATETIME else column.name
        sheet.write_string(0, column_index, title, header_format)
        longest = max((len(to_text(row[column.name])) for row in result.rows[:200]), default=0)
        sheet.set_column(column_index, column_index, min(max(len(title), longest) + 2, 60))
        for row_index, row in enumerate(result.rows, 1):
            value = row[column.name]
            if value is None:
                continue
            match column.type:
                case ColumnType.INT | ColumnType.FLOAT:
                    sheet.write_number(row_index, column_index, value)
                case ColumnType.BOOL:
                    sheet.write_boolean(row_index, column_index, value)
                case ColumnType.DATE:
                    sheet.write_datetime(row_index, column_index, value, date_format)
                case ColumnType.DATETIME:
                    utc = value.astimezone(dt.UTC).replace(tzinfo=None)
                    sheet.write_datetime(row_index, column_index, utc, datetime_format)
                case _:
                    # write_string: a text that looks like a formula stays text.
                    sheet.write_string(row_index, column_index, to_text(value)[:EXCEL_CELL])
    sheet.freeze_panes(1, 0)
    if result.columns:
        sheet.autofilter(0, 0, len(result.rows), len(result.columns) - 1)
    add_definitions(book, result, header_format)
    book.close()
    return buffer.getvalue()


def add_definitions(book: Any, result: Result, header_format: Any) -> None:
    """Adds a sheet that says what each column means."""
    sheet = book.add_worksheet("Definitions")
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    titles = ("Column", "Unit", "Meaning", "Field of the schema")
    for index, (title, width) in enumerate(zip(titles, (36, 18, 90, 36), strict=True)):
        sheet.write_string(0, index, title, header_format)
        sheet.set_column(index, index, width, wrapped)
    for line, column in enumerate(result.columns, 1):
        for index, text in enumerate((column.name, unit_of(column) or "", column.description, column.source)):
            sheet.write_string(line, index, text[:EXCEL_CELL])
    sheet.freeze_panes(1, 0)


def as_parquet(result: Result) -> bytes:
    """Returns a Parquet file with the type of every column."""
    buffer = io.BytesIO()
    result.polars().write_parquet(buffer)
    return buffer.getvalue()


FORMATS: Mapping[str, Callable[[Result], bytes]] = {
    "table": as_table,
    "json": as_json,
    "csv": as_csv,
    "xlsx": as_xlsx,
    "parquet": as_parquet,
}
BINARY = ("xlsx", "parquet")
