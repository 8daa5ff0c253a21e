"""Describes an operation's variables and columns as data, for a form, a table's headings and a sheet of definitions."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLInputType,
    GraphQLNonNull,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    value_from_ast_untyped,
)

from .operations import SavedOperation
from .response_shape import Column
from .variables import variable_types

# The end of a field's name, and the unit of its values.
_UNITS = (
    ("Percent", "%"), ("pointsAhead", "percentage points"), ("inutes", "minutes"), ("minutes", "minutes"),
    ("Hours", "hours"), ("sizeBytes", "bytes"),
)  # fmt: skip


def unit_of(column: Column) -> str | None:
    """Returns the unit of a column's values, or None for counts, texts, dates and times."""
    field = column.source.rpartition(".")[2]
    for ending, unit in _UNITS:
        if field.endswith(ending):
            return unit
    is_days = "days" in field or "Days" in field
    return "days" if is_days and column.type.value in ("int", "float") else None


def describe_columns(operation: SavedOperation) -> list[dict[str, Any]]:
    """Returns name, type, unit, schema field, description and record of each column."""
    return [
        {
            "name": column.name,
            "type": column.type.value,
            "unit": unit_of(column),
            "field": column.source or None,
            "description": column.description or None,
            "record": column.record,
        }
        for column in operation.shape.columns
    ]


def describe_inputs(operation: SavedOperation) -> list[dict[str, Any]]:
    """Returns what a form asks for: each variable, or each field of an input object, by the path that sets it.

    Cursors are left out: every page is fetched. `type` is the name of the type, `values` those of an enum, `default`
    the default of the operation as JSON.
    """
    cursors = {connection.cursor_variable for connection in operation.shape.connections}
    types = variable_types(operation)
    inputs: list[dict[str, Any]] = []
    for definition in operation.definition.variable_definitions or ():
        name = definition.variable.name.value
        if name in cursors:
            continue
        default = None if definition.default_value is None else value_from_ast_untyped(definition.default_value)
        required = isinstance(types[name], GraphQLNonNull) and definition.default_value is None
        inputs += _inputs(name, types[name], required, default, "")
    return inputs


def _inputs(
    path: str, input_type: GraphQLInputType, required: bool, default: Any, description: str
) -> Iterator[dict[str, Any]]:
    nullable = get_nullable_type(input_type)
    if is_input_object_type(nullable):
        for name, field in nullable.fields.items():
            yield from _inputs(f"{path}.{name}", field.type, False, None, field.description or "")
        return
    named = get_named_type(nullable)
    yield {
        "path": path,
        "type": named.name,
        "list": is_list_type(nullable),
        "required": required,
        "default": default,
        "values": [
            {"value": value, "description": " ".join((each.description or "").split())}
            for value, each in named.values.items()
        ]
        if is_enum_type(named)
        else None,
        "description": " ".join(description.split()),
    }
