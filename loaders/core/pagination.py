"""Keyset pagination in both directions: opaque cursors, a limit on every page, a total order.

A cursor contains a value of the order and a key. It stays valid when its row is changed or deleted.
"""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select

from domain.errors import BadArgument

MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 100, 20
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by one value that is never NULL, then by the key, both in the same direction.

    `name` identifies the order in cursors. `value` and `key` are SQL expressions. `of` is the attribute of a row from
    which its cursor is made, after `convert`; None if the row does not contain it, so that the statement selects it as
    `order_value`. `bound(reading)` returns the parameters of `value`.
    """

    name: str
    value: ColumnElement[Any] | Any
    key: ColumnElement[int] | Any
    of: str | None
    convert: Callable[[Any], Any] | None = None
    descending: bool = False
    bound: Callable[[Any], Mapping[str, Any]] = lambda reading: {}

    @property
    def reads(self) -> tuple[str, ...]:
        """Returns the attributes of a row that its cursor is made from."""
        return () if self.of is None else (self.of,)

    def columns(self, backwards: bool = False) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Returns the arguments of `order_by`; `backwards` starts at the end of the list."""
        if self.descending is not backwards:
            return self.value.desc(), self.key.desc()
        return self.value.asc(), self.key.asc()

    def after(self, backwards: bool = False) -> ColumnElement[bool]:
        """Returns a condition: rows after the cursor that is bound as `cursor_value` and `cursor_key`.

        `backwards`: rows before it.
        """
        value = bindparam("cursor_value", type_=self.value.type)
        key = bindparam("cursor_key", type_=self.key.type)
        if self.descending is not backwards:
            return or_(self.value < value, and_(self.value == value, self.key < key))
        return or_(self.value > value, and_(self.value == value, self.key > key))

    def value_of(self, row: Any, order_value: Any = None) -> Any:
        """Returns the value that a row is sorted by: `order_value`, which was selected, if the row has none."""
        value = order_value if self.of is None else getattr(row, self.of)
        return value if self.convert is None else self.convert(value)

    def cursor(self, row: Any, order_value: Any = None) -> str:
        """Returns the cursor of a row; `order_value` as in `value_of`."""
        value = self.value_of(row, order_value)
        if isinstance(value, dt.date):
            value = value.isoformat()
        text = json.dumps([self.name, value, row.key], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


# Longer than any cursor: one with a name of 200 characters.
_MAX_CURSOR_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class PageArguments:
    """The arguments of a connection as the client sent them: `first` with `after`, or `last` with `before`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The validated arguments of a connection: number of rows, direction, and the cursor's value and key."""

    size: int
    backwards: bool
    cursor: tuple[Any, int] | None

    @classmethod
    def parse(cls, arguments: PageArguments, order: Order) -> "PageRequest":
        """Validates the arguments.

        Raises BadArgument for a size that is not 1 to 100, arguments of both directions, and a cursor of another list
        or order.
        """
        backwards = arguments.last is not None or arguments.before is not None
        if backwards and (arguments.first is not None or arguments.after is not None):
            raise BadArgument("last", "Give first with after, or last with before, but not both.")
        name, size = ("last", arguments.last) if backwards else ("first", arguments.first)
        size = DEFAULT_PAGE_SIZE if size is None else size
        if not 1 <= size <= MAX_PAGE_SIZE:
            raise BadArgument(
                name, f"Ask for 1 to {MAX_PAGE_SIZE} at a time, and follow the cursors in pageInfo for more."
            )
        name, cursor = ("before", arguments.before) if backwards else ("after", arguments.after)
        return cls(size, backwards, None if cursor is None else _parse_cursor(name, cursor, order))

    @property
    def shape(self) -> tuple[bool, bool]:
        """Returns what the SQL depends on: (backwards, has a cursor)."""
        return self.backwards, self.cursor is not None

    @property
    def parameters(self) -> dict[str, Any]:
        """Returns what a paged statement binds. One row more than the size shows whether there is a next page."""
        bound: dict[str, Any] = {"page_limit": self.size + 1}
        if self.cursor is not None:
            bound["cursor_value"], bound["cursor_key"] = self.cursor
        return bound


def page_of(statement: Select, order: Order, shape: tuple[bool, bool]) -> Select:
    """Limits a statement to one page. `shape` is `PageRequest.shape`."""
    backwards, has_cursor = shape
    if has_cursor:
        statement = statement.where(order.after(backwards))
    return statement.order_by(*order.columns(backwards)).limit(bindparam("page_limit", type_=order.key.type))


def page_of_each(statement: Select, order: Order, owner: Any, shape: tuple[bool, bool]) -> Select:
    """Limits a statement to one page for each value of the column `owner`. The columns stay the same."""
    backwards, has_cursor = shape
    if has_cursor:
        statement = statement.where(order.after(backwards))
    position = func.row_number().over(partition_by=owner, order_by=order.columns(backwards)).label("position_in_list")
    numbered = statement.add_columns(position).subquery()
    columns = [column for column in numbered.c if column is not numbered.c.position_in_list]
    # unscoped: limits a statement that is scoped by the caller
    page = select(*columns).where(numbered.c.position_in_list <= bindparam("page_limit", type_=order.key.type))
    return page.order_by(numbered.c.position_in_list)


@dataclass(slots=True)
class Page(Generic[V]):
    """One page of a list.

    `totals` reads the totals of the whole list by name: `count`, the number of entries, and the list's sums.
    `known_count` is the number of entries if it has been read with the page. `order_values` are the selected values of
    the order, if the rows do not contain them.
    """

    nodes: Sequence[V]
    has_next_page: bool
    has_previous_page: bool
    order: Order
    totals: Callable[[], Awaitable[Mapping[str, int]]]
    known_count: int | None = None
    order_values: Sequence[Any] | None = None

    @classmethod
    def from_rows(
        cls,
        rows: Sequence[V],
        request: PageRequest,
        order: Order,
        totals: Callable[[], Awaitable[Mapping[str, int]]],
        known_count: int | None = None,
        order_values: Sequence[Any] | None = None,
    ) -> "Page[V]":
        """Builds a page from the rows of a paged statement, in the order in which they were read."""
        has_more, has_cursor = len(rows) > request.size, request.cursor is not None
        step = -1 if request.backwards else 1
        nodes = rows[: request.size][::step]
        values = None if order_values is None else order_values[: request.size][::step]
        has_next, has_previous = (has_cursor, has_more) if request.backwards else (has_more, has_cursor)
        return cls(nodes, has_next, has_previous, order, totals, known_count, values)

    async def count(self) -> int:
        """Returns the number of entries of the whole list."""
        return await self.total("count") if self.known_count is None else self.known_count

    async def total(self, name: str) -> int:
        """Returns a total of the whole list: `count`, or a name in `PagedList.sums`."""
        return (await self.totals())[name]

    @property
    def edges(self) -> list["Edge[V]"]:
        """Returns the nodes with their cursors."""
        return [Edge(self, position, node) for position, node in enumerate(self.nodes)]

    @property
    def page_info(self) -> "Page[V]":
        """Returns the page itself, which has the fields of PageInfo."""
        return self

    @property
    def start_cursor(self) -> str | None:
        """Returns the first node's cursor, the `before` of the previous page; None on an empty page."""
        return self.cursor(0) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        """Returns the last node's cursor, the `after` of the next page; None on an empty page."""
        return self.cursor(len(self.nodes) - 1) if self.nodes else None

    def cursor(self, position: int) -> str:
        """Returns the cursor of the node at a position of the page, counted from 0."""
        return self.order.cursor(self.nodes[position], self.order_values[position] if self.order_values else None)


@dataclass(slots=True)
class Edge(Generic[V]):
    """A node and its position on the page."""

    page: Page[V]
    position: int
    node: V

    @property
    def cursor(self) -> str:
        """Returns the node's cursor, for `after` or `before`."""
        return self.page.cursor(self.position)


def _parse_cursor(argument: str, text: str, order: Order) -> tuple[Any, int]:
    error = BadArgument(argument, "This is not a cursor of this list in this order: take it from pageInfo or an edge.")
    if len(text) > _MAX_CURSOR_LENGTH:
        raise error
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        name, value, key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError):
        raise error from None
    if name != order.name or type(key) is not int or not 0 < key < 2**63:
        raise error
    try:
        return _typed(value, order.value.type.python_type), key
    except (ValueError, TypeError, OverflowError):
        raise error from None


def _typed(value: Any, expected: type) -> Any:
    """Returns a cursor's JSON value as the order's type. Raises ValueError or TypeError if it is of another type."""
    if expected is dt.datetime:
        time = dt.datetime.fromisoformat(value)
        if time.tzinfo is None:
            raise ValueError("a time without a time zone")
        return time.astimezone(dt.UTC)
    if expected is dt.date:
        return dt.date.fromisoformat(value)
    too_large = isinstance(value, int) and abs(value) >= 2**63
    if type(value) is not expected or too_large or (isinstance(value, str) and "\0" in value):
        raise TypeError("not a value of the order's type")
    return value
