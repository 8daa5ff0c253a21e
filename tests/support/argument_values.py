"""Documents that call one root field of the served schema, with values for all of its arguments."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from tests.support.client import SCHEMA

PLAUSIBLE: dict[str, Any] = {
    "ID": "Learner_1", "String": "Some words.", "Int": 3, "Float": 2.5, "Boolean": True, "Date": "2026-11-02",
    "DateTime": "2026-11-02T10:00:00+00:00",
}  # fmt: skip


def plausible(type_: GraphQLInputType, required_only: bool = False) -> Any:
    """A value that fits the type: an input object with all its fields, or those that are required."""
    nullable = get_nullable_type(type_)
    if is_list_type(nullable):
        return [plausible(nullable.of_type, required_only)]
    if isinstance(nullable, GraphQLInputObjectType):
        return {
            name: plausible(field.type, required_only)
            for name, field in nullable.fields.items()
            if is_required_input_field(field) or not required_only
        }
    if isinstance(nullable, GraphQLEnumType):
        return next(iter(nullable.values))
    return PLAUSIBLE[get_named_type(nullable).name]


def root_fields() -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    """The root type, the name and the definition of each query, mutation and subscription."""
    for root in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type):
        assert root is not None
        for name, field in root.fields.items():
            yield root, name, field


def call(root: GraphQLObjectType, name: str, field: GraphQLField) -> str:
    """A document that calls a root field with all its arguments as variables, and selects `__typename`."""
    declared = ", ".join(f"${each}: {argument.type}" for each, argument in field.args.items())
    given = ", ".join(f"{each}: ${each}" for each in field.args)
    selected = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    declared, given = (f"({text})" if text else "" for text in (declared, given))
    return f"{root.name.lower()} Call{declared} {{ {name}{given}{selected} }}"


def plausible_arguments(arguments: dict[str, GraphQLArgument], required_only: bool = False) -> dict[str, Any]:
    """Values for the arguments of a field."""
    return {
        name: plausible(argument.type, required_only)
        for name, argument in arguments.items()
        if is_required_argument(argument) or not required_only
    }
