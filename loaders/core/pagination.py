"""Pages of a list: keyset pagination with opaque cursors, a bound on every page, the same order every time."""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, func, or_, select

from db.models.base import fold_name
from domain.errors import BadArgument

MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 100, 20
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by one value that is never null, then by the key, both in one direction.

    `of` gives a row's value, so that a cursor can be made from it.
    """

    name: str
    value: ColumnElement[Any]
    key: ColumnElement[int]
    of: Callable[[Any], Any]
    descending: bool = False

    def by(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """For `order_by`."""
        return (self.value.desc(), self.key.desc()) if self.descending else (self.value.asc(), self.key.asc())

    def after_cursor(self) -> ColumnElement[bool]:
        """For `where`: what comes after the cursor, whose parts are bound as `after_value` and `after_key`."""
        value = bindparam("after_value", type_=self.value.type)
        key = bindparam("after_key", type_=self.key.type)
        if self.descending:
            return or_(self.value < value, and_(self.value == value, self.key < key))
        return or_(self.value > value, and_(self.value == value, self.key > key))

    def cursor(self, row: Any) -> str:
        """The place of a row in this order."""
        value = self.of(row)
        spelled = value.isoformat() if isinstance(value, dt.date) else value
        packed = json.dumps([self.name, spelled, row.key], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The arguments of a page, checked: how many, and after which place."""

    first: int
    after: tuple[Any, int] | None

    @classmethod
    def read(cls, first: int | None, after: str | None, order: Order) -> "PageRequest":
        """Raises BadArgument for a page that is too large or a cursor that is not of this list."""
        first = DEFAULT_PAGE_SIZE if first is None else first
        if not 1 <= first <= MAX_PAGE_SIZE:
            raise BadArgument(
                "first", f"Ask for 1 to {MAX_PAGE_SIZE} at a time, and follow pageInfo.endCursor for more."
            )
        return cls(first, _read_cursor(after, order) if after is not None else None)

    @property
    def parameters(self) -> dict[str, Any]:
        """What a paged statement binds. One row more than asked tells whether there is a next page."""
        bound: dict[str, Any] = {"page_limit": self.first + 1}
        if self.after is not None:
            bound["after_value"], bound["after_key"] = self.after
        return bound


def page_of(statement: Select[Any], order: Order, after: bool) -> Select[Any]:
    """A statement cut to one page; `after` says whether a cursor will be bound."""
    if after:
        statement = statement.where(order.after_cursor())
    return statement.order_by(*order.by()).limit(bindparam("page_limit", type_=order.key.type))


def page_of_each(statement: Select[Any], order: Order, owner: ColumnElement[int], after: bool) -> Select[Any]:
    """A statement cut to one page for each owner, with the columns it had: one statement, however many owners."""
    if after:
        statement = statement.where(order.after_cursor())
    place = func.row_number().over(partition_by=owner, order_by=order.by()).label("place_of_owner")
    ranked = statement.add_columns(place).subquery()
    columns = [column for column in ranked.c if column is not ranked.c.place_of_owner]
    # unscoped: cuts a statement, which is scoped where it is made
    cut = select(*columns).where(ranked.c.place_of_owner <= bindparam("page_limit", type_=order.key.type))
    return cut.order_by(ranked.c.place_of_owner)


def search_in(column: ColumnElement[str]) -> ColumnElement[bool]:
    """That a folded column holds what was typed, bound as `search`."""
    return column.like(bindparam("search", type_=String), escape="\\")


def search_pattern(typed: str) -> str:
    """What `search_in` binds: letters in any case and with any accent; what a person types is never a pattern."""
    if len(typed) > 200 or "\0" in typed:
        raise BadArgument("search", "Search for at most 200 letters.")
    escaped = fold_name(typed).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


@dataclass(slots=True)
class Page(Generic[V]):
    """One page. `count` gives the number of all rows that the viewer sees, and is only asked where it is wanted."""

    nodes: Sequence[V]
    has_next_page: bool
    has_previous_page: bool
    order: Order
    count: Callable[[], Awaitable[int]]
    extra: Any = None

    @classmethod
    def of(
        cls, rows: Sequence[V], page: PageRequest, order: Order, count: Callable[[], Awaitable[int]], extra: Any = None
    ) -> "Page[V]":
        """From the rows of a paged statement."""
        return cls(rows[: page.first], len(rows) > page.first, page.after is not None, order, count, extra)

    @property
    def edges(self) -> list["Edge[V]"]:
        """The nodes, each with its cursor."""
        return [Edge(self.order, node) for node in self.nodes]

    @property
    def page_info(self) -> "Page[V]":
        """The page speaks for itself."""
        return self

    @property
    def start_cursor(self) -> str | None:
        """The first node's place."""
        return self.order.cursor(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        """The last node's place: `after` for the next page."""
        return self.order.cursor(self.nodes[-1]) if self.nodes else None


@dataclass(slots=True)
class Edge(Generic[V]):
    """A node and its place."""

    order: Order
    node: V

    @property
    def cursor(self) -> str:
        """The node's place in the list."""
        return self.order.cursor(self.node)


def _read_cursor(text: str, order: Order) -> tuple[Any, int]:
    wrong = BadArgument("after", "This is not a cursor of this list in this order: take pageInfo.endCursor as it came.")
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        name, value, key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, UnicodeError, RecursionError):
        raise wrong from None
    if name != order.name or type(key) is not int or not 0 < key < 2**63:
        raise wrong
    try:
        return _typed(value, order.value.type.python_type), key
    except (ValueError, TypeError):
        raise wrong from None


def _typed(value: Any, wanted: type) -> Any:
    if wanted is dt.datetime:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return moment
    if wanted is dt.date:
        return dt.date.fromisoformat(value)
    if type(value) is not wanted or (wanted is int and abs(value) >= 2**63) or (wanted is str and "\0" in value):
        raise TypeError("not of the order's type")
    return value
