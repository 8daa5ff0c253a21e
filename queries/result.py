"""The result of a run: rows with typed columns, as Python values, as a data frame or as a file."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .operations import SavedOperation
from .response_shape import Column, ColumnType
from .rows import Row, to_rows

if TYPE_CHECKING:
    import polars


# The last column of every result, so that results of several moments can be put together.
AS_OF = Column("asOf", ColumnType.DATETIME, "", "When the rows were read: what was recorded later is not in them.")


@dataclass(frozen=True, slots=True)
class Result:
    """All pages of one query's response.

    `rows` are dictionaries by column name, with dates as `date` and times as `datetime` with their offset. `data` is
    the response itself, `cost` its total cost in points, `notes` describes connections that are incomplete. `as_of` is
    when the rows were read, which the column `asOf` repeats.
    """

    name: str
    columns: Sequence[Column]
    rows: list[Row]
    data: dict[str, Any] = field(repr=False)
    cost: int = 0
    notes: Sequence[str] = ()
    as_of: dt.datetime | None = None

    @classmethod
    def of_data(
        cls,
        operation: SavedOperation,
        data: dict[str, Any],
        as_of: dt.datetime,
        cost: int = 0,
        notes: Sequence[str] = (),
    ) -> "Result":
        """Returns the result of a whole response."""
        rows = [{**row, AS_OF.name: as_of} for row in to_rows(operation.shape, data)]
        return cls(operation.name, [*operation.shape.columns, AS_OF], rows, data, cost, notes, as_of)

    def __len__(self) -> int:
        return len(self.rows)

    def polars(self) -> "polars.DataFrame":
        """Returns a polars frame. Empty columns keep their types; times are in UTC."""
        pl = _import_library("polars")
        types = {
            ColumnType.TEXT: pl.String,
            ColumnType.INT: pl.Int64,
            ColumnType.FLOAT: pl.Float64,
            ColumnType.BOOL: pl.Boolean,
            ColumnType.DATE: pl.Date,
            ColumnType.DATETIME: pl.Datetime("us", "UTC"),
            ColumnType.TEXT_LIST: pl.List(pl.String),
        }
        return pl.DataFrame(
            {
                column.name: pl.Series([row[column.name] for row in self.rows], dtype=types[column.type])
                for column in self.columns
            }
        )

    def pandas(self) -> Any:
        """Returns a `pandas.DataFrame` with nullable types (Int64, boolean, string); times are in UTC."""
        pd = _import_library("pandas")
        types = {
            ColumnType.TEXT: "string",
            ColumnType.INT: "Int64",
            ColumnType.FLOAT: "Float64",
            ColumnType.BOOL: "boolean",
            ColumnType.DATE: "datetime64[s]",
            ColumnType.DATETIME: "datetime64[us, UTC]",
            ColumnType.TEXT_LIST: "object",
        }
        return pd.DataFrame(
            {
                column.name: pd.Series([row[column.name] for row in self.rows], dtype=types[column.type])
                for column in self.columns
            }
        )

    def save(self, path: str | Path, format: str | None = None) -> None:
        """Writes a file as csv, json, xlsx, parquet or table: in `format`, or by the file's extension."""
        from .output import save

        save(self, Path(path), format)


def _import_library(name: str) -> Any:
    """Imports an optional library. Raises UsageError if it is not installed."""
    try:
        return __import__(name)
    except ImportError:
        raise UsageError(f"{name} is not installed. Run `pip install {name}`, or use csv, json or xlsx.") from None
