"""What a resolver declares for the compiled executor: what it reads of rows, how it resolves many objects at once."""

from collections.abc import Callable, Collection
from types import MappingProxyType
from typing import Any, TypeVar

from loaders.core.rows import Attributes

F = TypeVar("F", bound=Callable[..., Any])
OtherRows = Attributes | None
NO_ROWS: Attributes = {}


def reads_rows(
    attributes: Collection[str] | None,
    other_rows: OtherRows = NO_ROWS,
    parts: Attributes = MappingProxyType({}),
) -> Callable[[F], F]:
    """Marks a resolver with what it reads, so that loaders need not read more.

    `attributes` are those of its row, None for any. `other_rows` are the attributes that it reads of rows that other
    fields return, by their class, without those that are fields of what it returns itself; None for any of all rows.
    `parts` are attributes of rows that it loads for itself: nothing else of these rows is needed.
    """

    def mark(resolver: F) -> F:
        marked: Any = resolver
        marked.reads, marked.other_rows, marked.parts = attributes, other_rows, parts
        return resolver

    return mark


def resolves_batches(batch: Callable[..., Any], projection: Callable[[Any], Any] | None = None) -> Callable[[F], F]:
    """Marks a resolver that the compiled executor can call once for all objects of a field.

    `batch(roots, info, **arguments)` returns an awaitable of the values in the order of `roots`, or None if it cannot;
    `projection` maps each of these values to the value of the field.
    """

    def mark(resolver: F) -> F:
        resolver.batch, resolver.projection = batch, projection  # type: ignore[attr-defined]  # attributes of a function
        return resolver

    return mark
