"""Flattens a nested response into rows: one row for each list entry, with the parents' values repeated."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from .response_shape import ColumnType, Field, ResponseShape

Row = dict[str, Any]

_PARSERS: Mapping[ColumnType, Callable[[Any], Any]] = {
    ColumnType.FLOAT: float,
    ColumnType.DATE: dt.date.fromisoformat,
    ColumnType.DATETIME: dt.datetime.fromisoformat,
}


def to_rows(shape: ResponseShape, data: Mapping[str, Any]) -> list[Row]:
    """Returns the rows of a response, each with every column of the shape; a missing value is None.

    An object whose list is empty keeps one row. Sibling lists are concatenated, not multiplied.
    """
    values, rows = _flatten(shape, shape.root, "", data)
    empty = dict.fromkeys(column.name for column in shape.columns)
    return [{**empty, **row} for row in _combine(values, rows)]


def _flatten(shape: ResponseShape, parent: Field, prefix: str, data: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    """Returns an object's own values and the rows of the lists inside it."""
    values: Row = {}
    rows: list[Row] = []
    for name, field in shape.row_fields(parent, prefix):
        value = data.get(field.key)
        if field.column_type is not None:
            values[name] = parse_value(field.column_type, value)
        elif value is None:
            continue
        elif field.is_list:
            for entry in value:
                if entry is not None:
                    rows += _combine(*_flatten(shape, field, name, entry))
        else:
            inner_values, inner_rows = _flatten(shape, field, name, value)
            values |= inner_values
            rows += inner_rows
    return values, rows


def _combine(values: Row, rows: list[Row]) -> list[Row]:
    if rows:
        return [{**values, **row} for row in rows]
    return [values] if values else []


def parse_value(column_type: ColumnType, value: Any) -> Any:
    """Returns a value of a response as its column has it: numbers, dates and times."""
    if value is None:
        return None
    parser = _PARSERS.get(column_type)
    return parser(value) if parser else value
