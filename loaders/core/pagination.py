"""Keyset pagination, forwards and backwards: opaque cursors, a bound on every page, the same order every time.

A cursor holds the value that a list is sorted by and the key, not a row: one whose row has changed or gone still marks its place.
"""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select

from domain.errors import BadArgument

MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 100, 20
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by one value that is never null, then by the key, both in one direction.

    `of` gives a row's value, so that a cursor can be made from it; None where the row does not hold the value, which is
    then read beside it.
    """

    name: str
    value: ColumnElement[Any] | Any
    key: ColumnElement[int] | Any
    of: Callable[[Any], Any] | None
    descending: bool = False

    def columns(self, backwards: bool = False) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """For `order_by`; `backwards` from the end of the list."""
        if self.descending is not backwards:
            return self.value.desc(), self.key.desc()
        return self.value.asc(), self.key.asc()

    def beyond(self, backwards: bool = False) -> ColumnElement[bool]:
        """For `where`: what comes after the cursor bound as `cursor_value` and `cursor_key`; `backwards`, before it."""
        value = bindparam("cursor_value", type_=self.value.type)
        key = bindparam("cursor_key", type_=self.key.type)
        if self.descending is not backwards:
            return or_(self.value < value, and_(self.value == value, self.key < key))
        return or_(self.value > value, and_(self.value == value, self.key > key))

    def value_of(self, row: Any, read: Any = None) -> Any:
        """The value that a row is sorted by; `read` is what was read beside it."""
        return read if self.of is None else self.of(row)

    def cursor(self, row: Any, read: Any = None) -> str:
        """The place of a row in this order; `read` as in `value_of`."""
        value = self.value_of(row, read)
        spelled = value.isoformat() if isinstance(value, dt.date) else value
        packed = json.dumps([self.name, spelled, row.key], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class PageArguments:
    """The arguments of a connection, as a client gives them: `first` with `after`, or `last` with `before`."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The arguments of a page, checked: how many rows, from which end, and beyond which cursor."""

    size: int
    backwards: bool
    cursor: tuple[Any, int] | None

    @classmethod
    def parse(cls, arguments: PageArguments, order: Order) -> "PageRequest":
        """Raises BadArgument for a page that is too large, arguments of both directions, or a cursor of another list."""
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
        """What changes the SQL: the direction, and whether a cursor is bound."""
        return self.backwards, self.cursor is not None

    @property
    def parameters(self) -> dict[str, Any]:
        """What a paged statement binds. One row more than asked tells whether there is a next page."""
        bound: dict[str, Any] = {"page_limit": self.size + 1}
        if self.cursor is not None:
            bound["cursor_value"], bound["cursor_key"] = self.cursor
        return bound


def page_of(statement: Select[Any], order: Order, shape: tuple[bool, bool]) -> Select[Any]:
    """A statement cut to one page. `shape` is that of the `PageRequest`."""
    backwards, has_cursor = shape
    if has_cursor:
        statement = statement.where(order.beyond(backwards))
    return statement.order_by(*order.columns(backwards)).limit(bindparam("page_limit", type_=order.key.type))


def page_of_each(statement: Select[Any], order: Order, owner: Any, shape: tuple[bool, bool]) -> Select[Any]:
    """A statement cut to one page for each owner, with the columns it had: one statement, however many owners."""
    backwards, has_cursor = shape
    if has_cursor:
        statement = statement.where(order.beyond(backwards))
    place = func.row_number().over(partition_by=owner, order_by=order.columns(backwards)).label("place_of_owner")
    ranked = statement.add_columns(place).subquery()
    columns = [column for column in ranked.c if column is not ranked.c.place_of_owner]
    # unscoped: cuts a statement, which is scoped where it is made
    cut = select(*columns).where(ranked.c.place_of_owner <= bindparam("page_limit", type_=order.key.type))
    return cut.order_by(ranked.c.place_of_owner)


@dataclass(slots=True)
class Page(Generic[V]):
    """One page. `count` gives the number of all rows that the viewer sees, `sums` the list's sums; both read when called.

    `order_values` are the values that the nodes are sorted by, where the rows do not hold them.
    """

    nodes: Sequence[V]
    has_next_page: bool
    has_previous_page: bool
    order: Order
    count: Callable[[], Awaitable[int]]
    sums: Callable[[], Awaitable[Sequence[int]]] | None = None
    order_values: Sequence[Any] | None = None

    @classmethod
    def from_rows(
        cls,
        rows: Sequence[V],
        request: PageRequest,
        order: Order,
        count: Callable[[], Awaitable[int]],
        sums: Callable[[], Awaitable[Sequence[int]]] | None = None,
        order_values: Sequence[Any] | None = None,
    ) -> "Page[V]":
        """From the rows of a paged statement, in the order in which they were read."""
        more, beyond = len(rows) > request.size, request.cursor is not None
        step = -1 if request.backwards else 1
        nodes = rows[: request.size][::step]
        values = None if order_values is None else order_values[: request.size][::step]
        after, before = (beyond, more) if request.backwards else (more, beyond)
        return cls(nodes, after, before, order, count, sums, values)

    @property
    def edges(self) -> list["Edge[V]"]:
        """The nodes, each with its cursor."""
        return [Edge(self, place, node) for place, node in enumerate(self.nodes)]

    @property
    def page_info(self) -> "Page[V]":
        """The page itself, which holds what PageInfo shows."""
        return self

    @property
    def start_cursor(self) -> str | None:
        """The first node's cursor: `before` for the previous page."""
        return self.cursor(0) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        """The last node's cursor: `after` for the next page."""
        return self.cursor(len(self.nodes) - 1) if self.nodes else None

    def cursor(self, place: int) -> str:
        """The cursor of the node at a place of the page."""
        return self.order.cursor(self.nodes[place], self.order_values[place] if self.order_values else None)


@dataclass(slots=True)
class Edge(Generic[V]):
    """A node and its place in the list."""

    page: Page[V]
    place: int
    node: V

    @property
    def cursor(self) -> str:
        """The node's place in the list, for `after` or `before`."""
        return self.page.cursor(self.place)


def _parse_cursor(argument: str, text: str, order: Order) -> tuple[Any, int]:
    wrong = BadArgument(argument, "This is not a cursor of this list in this order: take it from pageInfo or an edge.")
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        name, value, key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError):
        raise wrong from None
    if name != order.name or type(key) is not int or not 0 < key < 2**63:
        raise wrong
    try:
        return _typed(value, order.value.type.python_type), key
    except (ValueError, TypeError, OverflowError):
        raise wrong from None


def _typed(value: Any, wanted: type) -> Any:
    if wanted is dt.datetime:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return moment.astimezone(dt.UTC)
    if wanted is dt.date:
        return dt.date.fromisoformat(value)
    if type(value) is not wanted or (wanted is int and abs(value) >= 2**63) or (wanted is str and "\0" in value):
        raise TypeError("not of the order's type")
    return value
