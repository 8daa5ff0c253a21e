"""Filters of a list: each is a condition in SQL, and what is bound to it for the value that a client gave."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, String, bindparam

from db.models.base import Key, fold_name
from domain import global_id
from domain.enums import Role
from domain.errors import BadArgument

if TYPE_CHECKING:
    from loaders.core.read_session import ReadSession

Condition = ColumnElement[bool]


class Filter:
    """One filter. `build(role, name, shape)` makes its condition; `name` is that of the argument and of what is bound.

    The SQL depends on the filter's shape, never on its value, so that a statement is built once for each shape.
    `reads_joined`: its condition reads a table that is joined to the list's own.
    """

    reads_joined = False

    def __init__(self, build: Callable[[Role, str, Any], Condition]) -> None:
        self.build = build

    def applies(self, value: Any) -> bool:
        """Whether the value narrows the list; None never does."""
        return value is not None

    def shape(self, value: Any) -> Hashable:
        """What of the value changes the SQL."""
        return True

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        """What is bound when the statement runs. Raises BadArgument for a value that cannot be."""
        return {name: value}


class equals(Filter):
    """Rows whose column has the value."""

    def __init__(self, column: Any) -> None:
        super().__init__(lambda role, name, shape: column == bindparam(name, type_=column.type))


class at_least(Filter):
    """Rows whose column has the value or a greater one."""

    def __init__(self, column: Any) -> None:
        super().__init__(lambda role, name, shape: column >= bindparam(name, type_=column.type))


class at_most(Filter):
    """Rows whose column has the value or a smaller one."""

    def __init__(self, column: Any) -> None:
        super().__init__(lambda role, name, shape: column <= bindparam(name, type_=column.type))


class flag(Filter):
    """Rows that meet a condition; False is the same as leaving it out. `bound` gives further parameters."""

    def __init__(
        self, condition: Condition, bound: Callable[["ReadSession"], dict[str, Any]] = lambda reading: {}
    ) -> None:
        super().__init__(lambda role, name, shape: condition)
        self._bound = bound

    def applies(self, value: Any) -> bool:
        return value is True

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        return self._bound(reading)


class refers_to(Filter):
    """Rows that belong to the record with a global id: `condition(key, role)`. An id that names nothing finds nothing."""

    def __init__(self, type_name: str, condition: Callable[[Any, Role], Condition]) -> None:
        super().__init__(lambda role, name, shape: condition(bindparam(name, type_=Key), role))
        self.type_name = type_name

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        # 0 is the key of no row.
        return {name: global_id.decode(self.type_name, value) or 0}


class search(Filter):
    """Rows whose folded column holds the text in any case, with or without accents. What is typed is never a pattern."""

    def __init__(self, column: Any, reads_joined: bool = False) -> None:
        super().__init__(lambda role, name, shape: column.like(bindparam(name, type_=String), escape="\\"))
        self.reads_joined = reads_joined

    def applies(self, value: Any) -> bool:
        return bool(value)

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        if len(value) > 200 or "\0" in value:
            raise BadArgument(name, "Search for at most 200 letters.")
        escaped = fold_name(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {name: f"%{escaped}%"}


class by_value(Filter):
    """Rows that meet a condition which depends on the value: `condition(role, value)`. `bound` gives its parameters.

    `kind` is the enum, or bool, whose few values it takes.
    """

    def __init__(
        self,
        kind: type[Any],
        condition: Callable[[Role, Any], Condition],
        bound: Callable[["ReadSession"], dict[str, Any]],
    ) -> None:
        super().__init__(lambda role, name, shape: condition(role, shape))
        self.kind = kind
        self._bound = bound

    def shape(self, value: Any) -> Hashable:
        return value

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        return self._bound(reading)
