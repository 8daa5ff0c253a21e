"""Makes an enum of Python a GraphQL type in which each value has a description."""

from enum import Enum
from typing import Any

import strawberry


def described(enum: type[Enum], description: str, **values: str) -> Any:
    """Makes an enum a GraphQL type. Raises TypeError unless exactly its members have a description."""
    if set(values) != set(enum.__members__):
        raise TypeError(f"{enum.__name__}: describe every member and nothing else")
    made: Any = strawberry.enum(enum, description=description)
    for value in made.__strawberry_definition__.values:
        value.description = values[value.name]
    return made
