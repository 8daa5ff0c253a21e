"""From a nested answer to rows: each entry of a list is a row, and what stands above it is said again on it."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from queries.shape import Field, Kind, Shape

Row = dict[str, Any]

_READ: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.FLOAT: float,
    Kind.DATE: dt.date.fromisoformat,
    Kind.MOMENT: dt.datetime.fromisoformat,
}


def rows_of(shape: Shape, data: Mapping[str, Any]) -> list[Row]:
    """The rows of an answer, each with every column of the shape; None where it has no value.

    A record whose list is empty keeps a row of its own. Lists that stand side by side are never multiplied: the entries
    of each are rows of their own, one list after the other.
    """
    base, below = _spread(shape, shape.root, "", data)
    empty = dict.fromkeys(column.name for column in shape.columns)
    return [{**empty, **row} for row in _joined(base, below)]


def _spread(shape: Shape, parent: Field, prefix: str, value: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    """What an object says once, and the rows of the lists in it."""
    base: Row = {}
    below: list[Row] = []
    for name, child in shape.named(parent, prefix):
        found = value.get(child.key)
        if child.kind is not None:
            base[name] = _read(child.kind, found)
        elif found is None:
            continue
        elif child.is_list:
            for entry in found:
                if entry is not None:
                    below += _joined(*_spread(shape, child, name, entry))
        else:
            once, more = _spread(shape, child, name, found)
            base |= once
            below += more
    return base, below


def _joined(base: Row, below: list[Row]) -> list[Row]:
    if below:
        return [{**base, **row} for row in below]
    return [base] if base else []


def _read(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    read = _READ.get(kind)
    return read(value) if read else value
