"""What a compiled query reads of its sources: a loader need not read the other attributes of a row."""

from collections.abc import Collection, Mapping
from typing import Any

from graphql import GraphQLObjectType

from .fields import SelectedField, is_attribute, row_class


class SourceReads:
    """The attributes that the selected fields read, by the row class of their type.

    `attributes` has no entry for a class of which anything may be read. `memo` is for what a loader derives from it.
    """

    __slots__ = ("_others", "_reads_anything", "_whole", "attributes", "memo")

    def __init__(self) -> None:
        self.attributes: dict[type, set[str]] = {}
        self.memo: dict[Any, Any] = {}
        self._others: dict[type, set[str]] = {}
        self._whole: set[type] = set()
        self._reads_anything = False

    def add_type(self, type_: GraphQLObjectType) -> None:
        """Adds the row class of a selected type, if it has one."""
        row = row_class(type_)
        if row is not None:
            self.attributes.setdefault(row, set())
            self._add_others(getattr(row, "other_rows", {}))

    def add(self, selected: SelectedField) -> None:
        """Adds what one selected field reads."""
        row = row_class(selected.parent)
        field = selected.strawberry_field
        if field is not None and is_attribute(selected):
            if row is not None:
                self.attributes[row].add(field.python_name)
            return
        resolver: Any = field.base_resolver.wrapped_func if field is not None and field.base_resolver else None
        if row is not None:
            self._add(row, getattr(resolver, "reads", None))
        self._add_others(getattr(resolver, "other_rows", {}))
        for part_of, names in getattr(resolver, "parts", {}).items():
            self.attributes.setdefault(part_of, set()).update(names)

    def _add_others(self, others: Mapping[type, Collection[str]] | None) -> None:
        if others is None:
            self._reads_anything = True
            return
        for row, names in others.items():
            self._add(row, names)

    def _add(self, row: type, names: Collection[str] | None) -> None:
        if names is None:
            self._whole.add(row)
        else:
            self._others.setdefault(row, set()).update(names)

    def finish(self) -> None:
        """Drops the classes of which some field may read anything."""
        for row, names in self._others.items():
            if row in self.attributes:
                self.attributes[row] |= names
        for row in list(self.attributes) if self._reads_anything else self._whole:
            self.attributes.pop(row, None)

    def widen(self, error: BaseException | None) -> bool:
        """After an error: whether an attribute was read that was not selected. Its class is read whole from then on."""
        row = type(getattr(error, "obj", None))
        if not isinstance(error, AttributeError) or row not in self.attributes or not hasattr(row, error.name or ""):
            return False
        del self.attributes[row]
        self.memo.clear()
        return True
