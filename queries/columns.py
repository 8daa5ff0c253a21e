"""Flattens a nested response into columns, in a fraction of the time of `queries/rows.py`: for bulk exports.

The rows are those of `queries.rows.to_rows`, in the same order.
"""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from .response_shape import Column, Field, ResponseShape

# Returns the values of one column for the entries of a list.
_Reader = Callable[[list[Any]], list[Any]]
_Value = tuple[int, Any]


class _Node:
    """One field with children. `parts`: its leaves, objects and lists, in the order of the rows."""

    def __init__(self, shape: ResponseShape, parent: Field, prefix: str, index: Mapping[str, int]) -> None:
        self.leaves: list[tuple[str, int]] = []
        self.parts: list[tuple[str, bool, _Node]] = []
        for name, field in shape.row_fields(parent, prefix):
            if field.column_type is not None:
                self.leaves.append((field.key, index[name]))
            else:
                self.parts.append((field.key, field.is_list, _Node(shape, field, name, index)))
        # Without lists below, the columns of many entries are read at once.
        self.is_flat: bool = all(not is_list and node.is_flat for _, is_list, node in self.parts)
        self.readers: list[tuple[int, _Reader]] = list(self._readers()) if self.is_flat else []

    def _readers(self) -> Any:
        for key, index in self.leaves:
            yield index, _all_of(key)
        for key, _, node in self.parts:
            for index, reader in node.readers:
                yield index, _within(key, reader)


def _all_of(key: str) -> _Reader:
    value_of = itemgetter(key)

    def read(entries: list[Any]) -> list[Any]:
        return list(map(value_of, entries))

    return read


def _within(key: str, reader: _Reader) -> _Reader:
    def read(entries: list[Any]) -> list[Any]:
        objects = [entry[key] for entry in entries]
        if None not in objects:
            return reader(objects)
        found = iter(reader([each for each in objects if each is not None]))
        return [None if each is None else next(found) for each in objects]

    return read


class Columns:
    """The columns of the responses that were added, for the operation of a shape."""

    def __init__(self, shape: ResponseShape) -> None:
        self.columns: list[Column] = list(shape.columns)
        self._root = _Node(shape, shape.root, "", {column.name: n for n, column in enumerate(self.columns)})
        self._values: list[list[Any]] = [[] for _ in self.columns]
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, data: Mapping[str, Any]) -> None:
        """Adds the rows of a response."""
        self._add_object(self._root, data, [])

    def take(self) -> list[list[Any]]:
        """Returns the values of each column, as many as there are rows, and forgets them."""
        for values in self._values:
            values.extend([None] * (self._count - len(values)))
        taken, self._values, self._count = self._values, [[] for _ in self.columns], 0
        return taken

    def _add_object(self, node: _Node, data: Mapping[str, Any], inherited: list[_Value]) -> int:
        own: list[_Value] = []
        lists: list[tuple[_Node, list[Any]]] = []
        _collect(node, data, own, lists)
        values = inherited + own
        added = 0
        for inner, entries in lists:
            if inner.is_flat:
                added += self._add_entries(inner, entries, values)
            else:
                added += sum(self._add_object(inner, entry, values) for entry in entries)
        if not added and own:
            self._extend(values, 1)
            self._count += 1
            added = 1
        return added

    def _add_entries(self, node: _Node, entries: list[Any], inherited: list[_Value]) -> int:
        count = len(entries) if node.readers else 0
        if count:
            self._extend(inherited, count)
            for index, reader in node.readers:
                self._padded(index).extend(reader(entries))
            self._count += count
        return count

    def _extend(self, values: list[_Value], count: int) -> None:
        for index, value in values:
            self._padded(index).extend([value] * count)

    def _padded(self, index: int) -> list[Any]:
        values = self._values[index]
        if (missing := self._count - len(values)) > 0:
            values.extend([None] * missing)
        return values


def _collect(node: _Node, data: Mapping[str, Any], own: list[_Value], lists: list[tuple[_Node, list[Any]]]) -> None:
    """Collects the values of an object and of the objects in it, and the lists in it."""
    own += [(index, data.get(key)) for key, index in node.leaves]
    for key, is_list, inner in node.parts:
        value = data.get(key)
        if value is None:
            continue
        if is_list:
            lists.append((inner, [entry for entry in value if entry is not None]))
        else:
            _collect(inner, value, own, lists)
