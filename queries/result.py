"""What a run gives: rows with typed columns, as Python values, as a frame, or as a file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queries.faults import WrongUse
from queries.rows import Row
from queries.shape import Column, Kind

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one operation, every page of it.

    `rows` are dictionaries by column name with Python's own types (dates as `date`, moments as `datetime` with their
    offset); `data` is the answer as it came, `cost` its points, `notes` what of it is only a first page.
    """

    name: str
    columns: Sequence[Column]
    rows: list[Row]
    data: dict[str, Any] = field(repr=False)
    cost: int = 0
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def polars(self) -> "polars.DataFrame":
        """A polars frame. Columns keep their types, empty ones too; moments are in UTC."""
        pl = _library("polars")
        types = {
            Kind.TEXT: pl.String,
            Kind.INT: pl.Int64,
            Kind.FLOAT: pl.Float64,
            Kind.BOOL: pl.Boolean,
            Kind.DATE: pl.Date,
            Kind.MOMENT: pl.Datetime("us", "UTC"),
            Kind.TEXTS: pl.List(pl.String),
        }
        return pl.DataFrame(
            {
                column.name: pl.Series([row[column.name] for row in self.rows], dtype=types[column.kind])
                for column in self.columns
            }
        )

    def pandas(self) -> Any:
        """A `pandas.DataFrame` of its types that know what is missing (Int64, boolean, string); moments are in UTC."""
        pd = _library("pandas")
        types = {
            Kind.TEXT: "string",
            Kind.INT: "Int64",
            Kind.FLOAT: "Float64",
            Kind.BOOL: "boolean",
            Kind.DATE: "datetime64[s]",
            Kind.MOMENT: "datetime64[us, UTC]",
            Kind.TEXTS: "object",
        }
        return pd.DataFrame(
            {
                column.name: pd.Series([row[column.name] for row in self.rows], dtype=types[column.kind])
                for column in self.columns
            }
        )

    def save(self, path: str | Path, format: str | None = None) -> None:
        """Writes a file: csv, json, xlsx, parquet or table, by `format` or else by the name's ending."""
        from queries.output import save

        save(self, Path(path), format)


def _library(name: str) -> Any:
    """An installed library that only some need."""
    try:
        return __import__(name)
    except ImportError:
        raise WrongUse(
            f"{name} is not installed: `pip install {name}`, or take the rows as csv, json or xlsx."
        ) from None
