"""The filters of a list. Each makes a SQL condition, and the parameters that are bound for the client's value."""

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, String, and_, bindparam, func

from db.models.base import Key
from domain import clock, global_id
from domain.enums import Role
from domain.errors import BadArgument
from domain.text import fold_search
from domain.updated_since import OVERLAP

if TYPE_CHECKING:
    from loaders.core.read_session import ReadSession

Condition = ColumnElement[bool]


class Filter:
    """A filter whose condition `build(role, name, shape)` makes; `name` is that of the argument and of the parameter.

    The SQL depends on the shape of the value, never on the value, so that a statement is built once for each shape.
    `reads_joined`: the condition uses a table that the row joins, so that counting needs the joins too. `combine`:
    returns the condition of the list for those of all filters with the same `combine`, which then apply to one related
    row; None if the conditions are about the rows of the list.
    """

    reads_joined = False
    combine: Callable[[Role, Iterable[Condition]], Condition] | None = None

    def __init__(self, build: Callable[[Role, str, Any], Condition]) -> None:
        self.build = build

    def applies(self, value: Any) -> bool:
        """Returns whether the value filters the list; None never does."""
        return value is not None

    def shape(self, value: Any) -> Hashable:
        """Returns the part of the value that changes the SQL."""
        return True

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        """Returns the parameters to bind. Raises BadArgument for an invalid value."""
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


class before(Filter):
    """Rows whose column has a smaller value."""

    def __init__(self, column: Any) -> None:
        super().__init__(lambda role, name, shape: column < bindparam(name, type_=column.type))


class changed_since(Filter):
    """Rows that last changed at a moment or later, or up to `OVERLAP` before it, so that two loads miss none."""

    def __init__(self, column: Any) -> None:
        super().__init__(lambda role, name, shape: column >= bindparam(name, type_=column.type))

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        return {name: value - OVERLAP}


class on_or_after(Filter):
    """Rows whose moment is on a day, in London, or later."""

    def __init__(self, column: Any) -> None:
        super().__init__(lambda role, name, shape: column >= bindparam(name, type_=column.type))

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        return {name: clock.start_of(value)}


class on_or_before(Filter):
    """Rows whose moment is on a day, in London, or earlier."""

    def __init__(self, column: Any) -> None:
        super().__init__(lambda role, name, shape: column < bindparam(name, type_=column.type))

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        return {name: clock.end_of(value)}


class one_of(Filter):
    """Rows whose column has one of a list of values of an enum; an empty list matches no row."""

    def __init__(self, column: Any) -> None:
        super().__init__(lambda role, name, shape: column.in_(sorted(shape, key=str)))
        self.column = column

    def shape(self, value: Any) -> Hashable:
        return frozenset(value)

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        return {}


class flag(Filter):
    """Rows that meet a condition, if the value is True; False does not filter. `bound` returns further parameters.

    The condition may be a function of the role.
    """

    def __init__(
        self,
        condition: Condition | Callable[[Role], Condition],
        bound: Callable[["ReadSession"], dict[str, Any]] = lambda reading: {},
    ) -> None:
        def build(role: Role, name: str, shape: Any) -> Condition:
            return condition if isinstance(condition, ColumnElement) else condition(role)

        super().__init__(build)
        self._bound = bound

    def applies(self, value: Any) -> bool:
        return value is True

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        return self._bound(reading)


class when(Filter):
    """Rows that meet the condition that `build` makes, if the value is True; False does not filter."""

    def applies(self, value: Any) -> bool:
        return value is True

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        return {}


class refers_to(Filter):
    """Rows that meet `condition(key, role)` for the key of a global id. An invalid id matches no row."""

    def __init__(self, type_name: str, condition: Callable[[Any, Role], Condition]) -> None:
        super().__init__(lambda role, name, shape: condition(bindparam(name, type_=Key), role))
        self.type_name = type_name

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        # No row has the key 0.
        return {name: global_id.decode(self.type_name, value) or 0}


class search(Filter):
    """Rows whose folded column contains the text, as `domain.text` folds both. The text is never a pattern.

    Spaces are ignored: "o brien" finds O'Brien, and "maryann" finds Mary Ann.
    """

    def __init__(self, column: Any, reads_joined: bool = False) -> None:
        without_spaces = func.replace(column, " ", "")
        super().__init__(lambda role, name, shape: without_spaces.like(bindparam(name, type_=String), escape="\\"))
        self.reads_joined = reads_joined

    def applies(self, value: Any) -> bool:
        return bool(value)

    def bound(self, name: str, value: Any, reading: "ReadSession") -> dict[str, Any]:
        if len(value) > 200 or "\0" in value:
            raise BadArgument(name, "Search for at most 200 letters.")
        escaped = fold_search(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {name: f"%{escaped}%"}


class by_value(Filter):
    """Rows that meet `condition(role, value)`, for values so few that each has a statement of its own.

    `kind` is the type of the values: an enum, or bool. `bound` returns the parameters of the condition.
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


def joined(filter: Filter) -> Filter:
    """The filter, whose condition uses a table that the row joins."""
    filter.reads_joined = True
    return filter


def related(combine: Callable[[Role, Condition], Condition], **filters: Filter) -> dict[str, Filter]:
    """Filters about a related row: a row of the list matches if one related row meets all of them.

    `combine(role, condition)` returns the condition that such a row exists.
    """

    def combined(role: Role, conditions: Iterable[Condition]) -> Condition:
        return combine(role, and_(*conditions))

    for each in filters.values():
        each.combine = combined
    return filters
