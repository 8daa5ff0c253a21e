"""Rows as a table for a screen, as JSON, CSV, Excel and Parquet."""

import csv
import datetime as dt
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xlsxwriter

from queries.faults import WrongUse
from queries.result import Result
from queries.shape import Kind

# A cell of a table is cut here; an Excel sheet ends there.
WIDEST_CELL = 40
EXCEL_ROWS = 1_048_576
EXCEL_CELL = 32_767
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def format_of(path: Path | None, format: str | None) -> str:
    """The format asked for, or the one that a file's name ends in; a table where there is neither. Raises WrongUse."""
    chosen = format or (path.suffix.removeprefix(".").lower() if path and path.suffix else "table")
    if chosen not in FORMATS:
        raise WrongUse(f"There is no format {chosen!r}: it is one of {', '.join(FORMATS)}.")
    if path is None and chosen in BINARY:
        raise WrongUse(f"{chosen} is no text: name a file with --out.")
    return chosen


def save(result: Result, path: Path, format: str | None = None) -> None:
    """Writes a file; one that was there is replaced once the new one is whole. Raises WrongUse where it cannot."""
    content = FORMATS[format_of(path, format)](result)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as fault:
        raise WrongUse(f"{path} cannot be written: {fault.strerror}.") from None


def text_of(value: Any) -> str:
    """One value as text: ISO 8601 for dates and moments, words of a list with semicolons between them."""
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


def table(result: Result) -> bytes:
    """Columns side by side, numbers to the right, long texts cut."""
    titles = [column.name for column in result.columns]
    lines = [[_cut(text_of(row[title])) for title in titles] for row in result.rows]
    widths = [max(map(len, texts)) for texts in zip(titles, *lines, strict=True)]
    right = [column.kind in (Kind.INT, Kind.FLOAT) for column in result.columns]

    def line(cells: list[str]) -> str:
        padded = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(titles), line(["-" * width for width in widths]), *map(line, lines), ""]).encode()


def _cut(text: str) -> str:
    # What people typed may hold line ends, and characters that a terminal obeys.
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - 1] + "…"


def as_json(result: Result) -> bytes:
    """A list of objects, one a row."""

    def plain(value: Any) -> Any:
        return text_of(value) if isinstance(value, dt.date) else value

    rows = [{name: plain(value) for name, value in row.items()} for row in result.rows]
    return (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode()


def as_csv(result: Result) -> bytes:
    """RFC 4180 in UTF-8. A text that a spreadsheet would take for a formula has an apostrophe before it."""
    kept = io.StringIO(newline="")
    writer = csv.writer(kept)
    writer.writerow([column.name for column in result.columns])
    for row in result.rows:
        writer.writerow([_safe(row[column.name], column.kind) for column in result.columns])
    return kept.getvalue().encode()


def _safe(value: Any, kind: Kind) -> str:
    text = text_of(value)
    return "'" + text if kind in (Kind.TEXT, Kind.TEXTS) and text.startswith(_FORMULA) else text


def as_xlsx(result: Result) -> bytes:
    """One sheet with its heading frozen and a filter on each column. Moments are in UTC: Excel knows no offset."""
    if len(result.rows) >= EXCEL_ROWS:
        raise WrongUse(f"{len(result.rows):,} rows are more than a sheet of Excel holds: take csv or parquet.")
    kept = io.BytesIO()
    book = xlsxwriter.Workbook(kept, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(result.name[:31])
    heading = book.add_format({"bold": True, "bottom": 1})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for place, column in enumerate(result.columns):
        title = f"{column.name} (UTC)" if column.kind is Kind.MOMENT else column.name
        sheet.write_string(0, place, title, heading)
        longest = max((len(text_of(row[column.name])) for row in result.rows[:200]), default=0)
        sheet.set_column(place, place, min(max(len(title), longest) + 2, 60))
        for number, row in enumerate(result.rows, 1):
            value = row[column.name]
            if value is None:
                continue
            match column.kind:
                case Kind.INT | Kind.FLOAT:
                    sheet.write_number(number, place, value)
                case Kind.BOOL:
                    sheet.write_boolean(number, place, value)
                case Kind.DATE:
                    sheet.write_datetime(number, place, value, day)
                case Kind.MOMENT:
                    sheet.write_datetime(number, place, value.astimezone(dt.UTC).replace(tzinfo=None), moment)
                case _:
                    # As text, whatever it begins with.
                    sheet.write_string(number, place, text_of(value)[:EXCEL_CELL])
    sheet.freeze_panes(1, 0)
    if result.columns:
        sheet.autofilter(0, 0, len(result.rows), len(result.columns) - 1)
    book.close()
    return kept.getvalue()


def as_parquet(result: Result) -> bytes:
    """By polars, with every column's type."""
    kept = io.BytesIO()
    result.polars().write_parquet(kept)
    return kept.getvalue()


FORMATS: Mapping[str, Callable[[Result], bytes]] = {
    "table": table,
    "json": as_json,
    "csv": as_csv,
    "xlsx": as_xlsx,
    "parquet": as_parquet,
}
BINARY = ("xlsx", "parquet")
