"""Node: what has an id and can be read again by it. A type's source is its light row."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

T = TypeVar("T", bound=type)

# The graph's type of each light row.
TYPE_OF_ROW: dict[type, str] = {}


@strawberry.interface(description="Something with an identifier, which `node` and `nodes` read again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, unique over all types, and the same for ever.")

    @classmethod
    def resolve_type(cls, source: Any, info: Any, abstract: Any) -> str | None:
        """By the row's class, without asking one type after another."""
        return TYPE_OF_ROW.get(source.__class__)


def node(row: type, description: str) -> Callable[[T], T]:
    """Makes a class the graph's type of a light row: `@node(EvidenceRow, "…") class Evidence(Node)`."""

    def make(cls: T) -> T:
        def is_type_of(_: type, source: Any, info: Any) -> bool:
            return source.__class__ is row

        cls.is_type_of = classmethod(is_type_of)  # type: ignore[attr-defined]
        # For the compiled executor: the class that a value must have to be of this type.
        cls.__row__ = row  # type: ignore[attr-defined]
        TYPE_OF_ROW[row] = cls.__name__
        return strawberry.type(cls, description=description)

    return make


def value(row: type, description: str) -> Callable[[T], T]:
    """Makes a class the graph's type of a light row that has no id: `@value(ProgressRow, "…") class Progress`."""

    def make(cls: T) -> T:
        cls.__row__ = row  # type: ignore[attr-defined]
        return strawberry.type(cls, description=description)

    return make
