"""Leaf values: the Python expression that completes one inline, or else through the coercion of its type."""

import enum
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from graphql import GraphQLBoolean, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLLeafType, GraphQLString, Undefined
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.schema.types.base_scalars import DateDefinition, DateTimeDefinition, isoformat

from .errors import Deopt

# Conditions under which graphql-core's coercion, of results and of variables, returns the value in {0} unchanged.
UNCHANGED_IF = {
    GraphQLString: "{0}.__class__ is str",
    GraphQLID: "{0}.__class__ is str",
    GraphQLBoolean: "{0}.__class__ is bool",
    GraphQLInt: "{0}.__class__ is int and -2147483649 < {0} < 2147483648",
    GraphQLFloat: "{0}.__class__ is float and -1e999 < {0} < 1e999",
}


def leaf_expression(
    type_: GraphQLLeafType,
    required: bool,
    value: str,
    constant: Callable[[object], str],
    utc_text: Callable[[datetime], str] = datetime.isoformat,
) -> str:
    """Returns the Python expression that completes the leaf in the variable `value`.

    `utc_text` writes a time in UTC as `isoformat` does.
    `constant` adds an object to the namespace of the generated code and returns its name there. A value of exactly the
    expected class is completed inline. Any other is coerced by its type; where that fails, the expression raises.
    """
    coerced = f"{constant(coercion(type_, required))}({value})"
    condition, inline = _inline_expression(type_, value, constant, utc_text)
    if condition is None:
        return coerced
    if required:
        return f"({inline} if {condition} else {coerced})"
    if inline == value:
        return f"({inline} if {condition} or {value} is None else {coerced})"
    return f"({inline} if {condition} else None if {value} is None else {coerced})"


def _inline_expression(
    type_: GraphQLLeafType, value: str, constant: Callable[[object], str], utc_text: Callable[[datetime], str]
) -> tuple[str | None, str]:
    """A condition, and the expression of the leaf where the condition holds. The condition is None if there is none."""
    if type_ in UNCHANGED_IF:
        return UNCHANGED_IF[type_].format(value), value
    if isinstance(type_, CustomGraphQLEnumType):
        enum_class: Any = type_.wrapped_cls  # Strawberry says EnumMeta
        # Enum.__hash__ is a Python function, so a dictionary by member would cost more than the member's attribute.
        if not issubclass(enum_class, enum.Flag) and all(type_.coerce_output_value(m) == m._name_ for m in enum_class):
            return f"{value}.__class__ is {constant(enum_class)}", f"{value}._name_"
    elif type_.name == DateDefinition.name and type_.coerce_output_value is isoformat:
        return f"{value}.__class__ is {constant(date)}", f"{value}.isoformat()"
    elif type_.name == DateTimeDefinition.name and type_.coerce_output_value is isoformat:
        is_utc = f"{value}.__class__ is {constant(datetime)} and {value}.tzinfo is {constant(UTC)}"
        return is_utc, f"{constant(utc_text)}({value})"
    return None, value


def coercion(type_: GraphQLLeafType, required: bool) -> Callable[[object], object]:
    """Returns a function that completes a value as graphql-core does, and raises where that reports an error."""
    coerce = type_.coerce_output_value

    def complete(value: object) -> object:
        if value is None or value is Undefined:
            if required:
                raise Deopt
            return None
        if isinstance(value, Exception) or optimized_is_awaitable(value):
            raise Deopt
        result = coerce(value)
        if result is None or result is Undefined:
            raise Deopt
        return result

    return complete
