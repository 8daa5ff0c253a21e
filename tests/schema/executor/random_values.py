"""Random JSON values for input types: valid ones, and ones with something wrong in them."""

from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    is_required_input_field,
)

from tests.schema.executor.random_operations import SCALARS

WRONG = [
    None, "", "x", "CALM", 7, -1, 2**31, -(2**31) - 1, 10**400, 0.5, 3.0, float("nan"), float("inf"), True, [], ["x"],
    [None], [[]], {}, {"x": 1}, "2026-02-30", "2026-11-29", b"x",
]  # fmt: skip


def random_value(rng: Random, type_: GraphQLInputType, wrong: float = 0.0) -> Any:
    """Returns a value of the type; each part of it is, with the probability `wrong`, any other value."""
    if rng.random() < wrong:
        return rng.choice(WRONG)
    if isinstance(type_, GraphQLNonNull):
        return _not_null(rng, type_.of_type, wrong)
    return None if rng.random() < 0.2 else _not_null(rng, type_, wrong)


def _not_null(rng: Random, type_: Any, wrong: float) -> Any:
    if isinstance(type_, GraphQLList):
        if rng.random() < wrong:
            return random_value(rng, type_.of_type, wrong)  # a list of one, without its brackets
        return [random_value(rng, type_.of_type, wrong) for _ in range(rng.randrange(3))]
    if isinstance(type_, GraphQLEnumType):
        return rng.choice(list(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        return _object(rng, type_, wrong)
    return SCALARS.get(type_.name, SCALARS["String"])(rng)


def _object(rng: Random, type_: GraphQLInputObjectType, wrong: float) -> dict[str, Any]:
    if type_.is_one_of:
        name, field = rng.choice(list(type_.fields.items()))
        return {name: _not_null(rng, field.type, wrong)}
    names = [
        name
        for name, field in type_.fields.items()
        if (rng.random() >= wrong if is_required_input_field(field) else rng.random() < 0.6)
    ]
    rng.shuffle(names)
    values = {name: random_value(rng, type_.fields[name].type, wrong) for name in names}
    return {**values, "unknown": 1} if rng.random() < wrong / 2 else values
