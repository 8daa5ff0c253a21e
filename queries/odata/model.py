"""The entity sets: one for each report for analysts, with a property for each column."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import GraphQLNonNull

from ..descriptions import unit_of
from ..operations import SavedOperation
from ..response_shape import Column, ColumnType, Field, ResponseShape
from ..result import AS_OF
from ..variables import variable_types

NAMESPACE = "Waymark"
_EDM_TYPES: Mapping[ColumnType, str] = {
    ColumnType.TEXT: "Edm.String",
    ColumnType.INT: "Edm.Int64",
    ColumnType.FLOAT: "Edm.Double",
    ColumnType.BOOL: "Edm.Boolean",
    ColumnType.DATE: "Edm.Date",
    ColumnType.DATETIME: "Edm.DateTimeOffset",
    ColumnType.TEXT_LIST: "Collection(Edm.String)",
}
# Records have no key of their own once lists in them are rows.
_KEY = Column("row", ColumnType.INT, "", "The number of the row in the report, from 1: the key of the entity.")


@dataclass(frozen=True, slots=True)
class Property:
    """One property: a column with a name that OData allows. `index` is the place of its value in a row."""

    name: str
    column: Column
    index: int
    nullable: bool

    @property
    def edm_type(self) -> str:
        """The type of the values."""
        return _EDM_TYPES[self.column.type]

    @property
    def unit(self) -> str | None:
        """The unit of the values."""
        return unit_of(self.column)


class EntitySet:
    """A report. A row of it is a tuple: its number, the values of the columns as the API has them, and `asOf`."""

    def __init__(self, operation: SavedOperation) -> None:
        self.operation = operation
        self.name = operation.name

    @cached_property
    def properties(self) -> list[Property]:
        """The properties in the order of a row's values. The first is the key."""
        shape = self.operation.shape
        required = {_KEY.name, AS_OF.name, *_always_there(shape)}
        names: set[str] = set()
        found = []
        for index, column in enumerate([_KEY, *shape.columns, AS_OF]):
            name = base = re.sub(r"\W", "_", column.name)
            number = 2
            while name in names:
                name, number = f"{base}_{number}", number + 1
            names.add(name)
            is_given = column.name in required or column.type is ColumnType.TEXT_LIST
            found.append(Property(name, column, index, nullable=not is_given))
        return found

    @cached_property
    def by_name(self) -> dict[str, Property]:
        """The properties by their names."""
        return {each.name: each for each in self.properties}

    @property
    def needs_variables(self) -> bool:
        """Whether an address without variables is not enough."""
        defaults = {
            each.variable.name.value: each.default_value
            for each in self.operation.definition.variable_definitions or ()
        }
        types: Mapping[str, Any] = variable_types(self.operation)
        return any(isinstance(each, GraphQLNonNull) and defaults[name] is None for name, each in types.items())


def _always_there(shape: ResponseShape) -> set[str]:
    """Returns the names of the columns that have a value in every row, by the types of the schema.

    A record whose list is empty keeps a row, without the columns of the list; so do the entries of two lists beside
    each other. Only a list without anything beside it makes rows of nothing but its entries.
    """
    found: set[str] = set()

    def visit(entry: Field, prefix: str) -> None:
        has_own = False
        lists: list[tuple[str, Field]] = []

        def collect(parent: Field, prefix: str, present: bool) -> None:
            nonlocal has_own
            for name, child in shape.row_fields(parent, prefix):
                is_there = present and not child.nullable
                if child.column_type is not None:
                    has_own = True
                    found.update([name] if is_there else [])
                elif child.is_list:
                    lists.append((name, child))
                else:
                    collect(child, name, is_there)

        collect(entry, prefix, True)
        if not has_own and len(lists) == 1:
            name, field = lists[0]
            visit(field, name)

    visit(shape.root, "")
    return found
