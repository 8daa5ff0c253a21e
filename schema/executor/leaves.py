"""Leaf values: the expression that completes one inline, and the slow way round through the type's own coercion."""

import enum
from collections.abc import Callable
from datetime import date, datetime

from graphql import GraphQLBoolean, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLLeafType, GraphQLString, Undefined
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.schema.types.base_scalars import DateDefinition, DateTimeDefinition, isoformat

from schema.executor.outcomes import Deopt

# A value of exactly this class, where the condition holds, is what graphql-core's coercion gives back unchanged.
_UNCHANGED = {
    GraphQLString: "{0}.__class__ is str",
    GraphQLID: "{0}.__class__ is str",
    GraphQLBoolean: "{0}.__class__ is bool",
    GraphQLInt: "{0}.__class__ is int and -2147483649 < {0} < 2147483648",
    GraphQLFloat: "{0}.__class__ is float and -1e999 < {0} < 1e999",
}
_DATES = {DateDefinition.name: date, DateTimeDefinition.name: datetime}


def leaf_expression(type_: GraphQLLeafType, required: bool, value: str, constant: Callable[[object], str]) -> str:
    """The Python expression that completes the leaf in the variable `value`.

    `constant` puts an object within reach of the generated code and gives its name there. A value that is not of the
    expected class exactly goes through the type's own coercion; what that refuses raises, which ends the plan.
    """
    slow = f"{constant(coercion(type_, required))}({value})"
    condition, quick = _quick(type_, value, constant)
    if condition is None:
        return slow
    if required:
        return f"({quick} if {condition} else {slow})"
    if quick == value:
        return f"({quick} if {condition} or {value} is None else {slow})"
    return f"({quick} if {condition} else None if {value} is None else {slow})"


def _quick(type_: GraphQLLeafType, value: str, constant: Callable[[object], str]) -> tuple[str | None, str]:
    """A condition, and what the leaf is where it holds. No condition: there is no quick way."""
    if type_ in _UNCHANGED:
        return _UNCHANGED[type_].format(value), value
    if isinstance(type_, CustomGraphQLEnumType):
        members = type_.wrapped_cls
        # Enum.__hash__ is a Python function, so a table by member would cost more than the member's own attribute.
        if not issubclass(members, enum.Flag) and all(type_.coerce_output_value(m) == m._name_ for m in members):
            return f"{value}.__class__ is {constant(members)}", f"{value}._name_"
    elif type_.name in _DATES and type_.coerce_output_value is isoformat:
        return f"{value}.__class__ is {constant(_DATES[type_.name])}", f"{value}.isoformat()"
    return None, value


def coercion(type_: GraphQLLeafType, required: bool) -> Callable[[object], object]:
    """A function that completes any value as graphql-core would, or raises where graphql-core would not return one."""
    coerce = type_.coerce_output_value

    def slow(value: object) -> object:
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

    return slow
