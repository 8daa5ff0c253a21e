"""Lists with filters and orders, a page at a time: the viewer's own, or that of each owner in one statement.

ACTIONS = PagedList(ActionRow, Order(…), {"status": equals(Action.status), "outstanding_only": flag(OUTSTANDING)})

await read_page(reading, ACTIONS, arguments, {"status": status})              # of all that the viewer sees
loaders.get(PagesLoader, ACTIONS, Action.learner_id, arguments, …).load(key)  # of each learner
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func

from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.base import OneLoader
from loaders.core.dataloader import BaseLoader
from loaders.core.filters import Condition, Filter
from loaders.core.pagination import Order, Page, PageArguments, PageRequest, page_of, page_of_each
from loaders.core.read_session import ReadSession, cached_statement
from loaders.core.registry import Loaders
from loaders.core.rows import LightRow

R = TypeVar("R", bound=LightRow)
# Name and shape of each filter that applies: what a list's statement depends on besides role and order.
Shapes = frozenset[tuple[str, Any]]


@dataclass(frozen=True, eq=False, slots=True)
class PagedList(Generic[R]):
    """One kind of list, over everything of a light row that the viewer sees.

    `orders` are further orders by the value of an enum, `order` is the default; an order may depend on the role.
    `condition` narrows the list for every viewer. `sums` are added up over the whole list beside the number of its entries.
    """

    row: type[R]
    order: Order
    filters: Mapping[str, Filter] = field(default_factory=dict)
    orders: Mapping[Any, Order | Callable[[Role], Order]] = field(default_factory=dict)
    condition: Callable[[Role], Condition] | None = None
    sums: tuple[Any, ...] = ()

    def order_for(self, order_by: Any, role: Role) -> Order:
        """The order that is asked for, or the default."""
        found = self.orders.get(order_by, self.order)
        return found if isinstance(found, Order) else found(role)

    def shapes(self, values: Mapping[str, Any]) -> Shapes:
        """The filters that apply for these values."""
        return frozenset(
            (name, self.filters[name].shape(value))
            for name, value in values.items()
            if self.filters[name].applies(value)
        )

    def parameters(self, values: Mapping[str, Any], reading: ReadSession) -> dict[str, Any]:
        """What the filters bind. Raises BadArgument for a value that cannot be."""
        bound: dict[str, Any] = {}
        for name, value in values.items():
            if self.filters[name].applies(value):
                bound |= self.filters[name].bound(name, value, reading)
        return bound

    def statement(self, role: Role, shapes: Shapes, *leading: Any) -> Select[Any]:
        """The whole list, filtered, in no order."""
        return self._narrowed(self.row.statement(role, *leading), role, shapes)

    def totals(self, role: Role, shapes: Shapes, *leading: Any, sums: bool = True) -> Select[Any]:
        """How many entries there are, then the list's sums, after `leading`. Joins other tables only for a filter's sake."""
        counted = (*leading, func.count(), *(self.sums if sums else ()))
        if any(self.filters[name].reads_joined for name, _ in shapes):
            return self.statement(role, shapes).with_only_columns(*counted, maintain_column_froms=True)
        return self._narrowed(self.row.statement_of(role, *counted), role, shapes)

    def _narrowed(self, statement: Select[Any], role: Role, shapes: Shapes) -> Select[Any]:
        if self.condition is not None:
            statement = statement.where(self.condition(role))
        return statement.where(
            *(self.filters[name].build(role, name, shape) for name, shape in sorted(shapes, key=repr))
        )


@cached_statement
def _page(
    listed: PagedList[Any], role: Role, shapes: Shapes, order_by: Any, page_shape: tuple[bool, bool], counted: bool
) -> Select[Any]:
    order = listed.order_for(order_by, role)
    leading = [listed.totals(role, shapes, sums=False).scalar_subquery().label("count")] if counted else []
    if order.of is None:
        leading.append(order.value.label("order_value"))
    return page_of(listed.statement(role, shapes, *leading), order, page_shape)


@cached_statement
def _totals(listed: PagedList[Any], role: Role, shapes: Shapes) -> Select[Any]:
    return listed.totals(role, shapes)


@cached_statement
def _pages(
    listed: PagedList[Any], owner: Any, role: Role, shapes: Shapes, order_by: Any, page_shape: tuple[bool, bool]
) -> Select[Any]:
    order = listed.order_for(order_by, role)
    leading = [owner.label("owner")] + ([order.value.label("order_value")] if order.of is None else [])
    return page_of_each(listed.statement(role, shapes, *leading).where(any_of(owner)), order, owner, page_shape)


@cached_statement
def _totals_of_each(listed: PagedList[Any], owner: Any, role: Role, shapes: Shapes) -> Select[Any]:
    return listed.totals(role, shapes, owner).where(any_of(owner)).group_by(owner)


async def read_page(
    reading: ReadSession,
    listed: PagedList[R],
    arguments: PageArguments,
    values: Mapping[str, Any],
    order_by: Any = None,
    counted: bool = False,
) -> Page[R]:
    """One page of all that the viewer sees. `values`: those of the filters by name; None is not asked for.

    `counted`: the number of entries is read in the same statement. Raises BadArgument for a page, cursor or value that
    cannot be.
    """
    role, shapes = reading.viewer.role, listed.shapes(values)
    order = listed.order_for(order_by, role)
    request, parameters = PageRequest.parse(arguments, order), listed.parameters(values, reading)
    statement = _page(listed, role, shapes, order_by, request.shape, counted)
    leading, rows = await reading.read_with(
        listed.row, statement, counted + (order.of is None), **parameters, **request.parameters
    )
    known = next(iter(leading[0]), None) if counted else None
    values_read = list(leading[-1]) if order.of is None else None

    async def totals() -> Sequence[int]:
        return (await reading.rows(_totals(listed, role, shapes), **parameters))[0]

    async def count() -> int:
        return (await totals())[0] if known is None else known

    async def sums() -> Sequence[int]:
        return (await totals())[1:]

    return Page.from_rows(rows, request, order, count, sums, values_read)


class PagesLoader(BaseLoader[int, Page[R]], Generic[R]):
    """One page of the list of each owner, by the owner's key. `owner` is the column that holds it.

    `values`: those of the filters, as sorted pairs. Raises BadArgument for a page, cursor or value that cannot be.
    """

    def __init__(
        self,
        loaders: Loaders,
        listed: PagedList[R],
        owner: Any,
        arguments: PageArguments,
        values: tuple[tuple[str, Any], ...] = (),
        order_by: Any = None,
    ) -> None:
        super().__init__()
        self._reading = reading = loaders.reading
        self._listed = listed
        self._owner = owner
        self._order_by = order_by
        self._order = listed.order_for(order_by, reading.viewer.role)
        self._request = PageRequest.parse(arguments, self._order)
        self._shapes = listed.shapes(dict(values))
        self._parameters = listed.parameters(dict(values), reading)
        self._totals = _TotalsLoader(loaders, listed, owner, self._shapes, self._parameters)

    async def read(self, keys: list[int]) -> list[Page[R]]:
        request, own_value = self._request, self._order.of is None
        role = self._reading.viewer.role
        statement = _pages(self._listed, self._owner, role, self._shapes, self._order_by, request.shape)
        leading, rows = await self._reading.read_with(
            self._listed.row, statement, 1 + own_value, keys=keys, **self._parameters, **request.parameters
        )
        found: dict[int, tuple[list[R], list[Any]]] = {key: ([], []) for key in keys}
        order_values = leading[1] if own_value else [None] * len(rows)
        for owner, value, each in zip(leading[0], order_values, rows, strict=True):
            found[owner][0].append(each)
            found[owner][1].append(value)
        return [self._page_of(key, *found[key]) for key in keys]

    def _page_of(self, owner: int, rows: list[R], order_values: list[Any]) -> Page[R]:
        async def count() -> int:
            return (await self._totals.load(owner))[0]

        async def sums() -> Sequence[int]:
            return (await self._totals.load(owner))[1:]

        values = order_values if self._order.of is None else None
        return Page.from_rows(rows, self._request, self._order, count, sums, values)


class _TotalsLoader(OneLoader[int, Sequence[int]]):
    """Over the whole list of each owner: how many entries, then each of the list's sums."""

    def __init__(
        self, loaders: Loaders, listed: PagedList[Any], owner: Any, shapes: Shapes, parameters: Mapping[str, Any]
    ) -> None:
        super().__init__(loaders)
        self._listed = listed
        self._owner = owner
        self._shapes = shapes
        self._parameters = parameters

    async def fetch(self, keys: list[int]) -> dict[int, Sequence[int]]:
        nothing = (0,) * (1 + len(self._listed.sums))
        statement = _totals_of_each(self._listed, self._owner, self.reading.viewer.role, self._shapes)
        rows = await self.reading.rows(statement, keys=keys, **self._parameters)
        return dict.fromkeys(keys, nothing) | {owner: totals for owner, *totals in rows}


def pages(
    loaders: Loaders,
    listed: PagedList[R],
    owner: Any,
    owner_key: int,
    arguments: PageArguments,
    values: Mapping[str, Any],
    order_by: Any = None,
) -> Awaitable[Page[R]]:
    """The page of one owner, read together with those of its neighbours. Raises as PagesLoader."""
    given = tuple(sorted((name, value) for name, value in values.items() if value is not None))
    return loaders.get(PagesLoader, listed, owner, arguments, given, order_by).load(owner_key)


async def whole_list(
    reading: ReadSession, listed: PagedList[R], owner: Any, owner_key: int, values: Mapping[str, Any], at_once: int
) -> list[R]:
    """Every entry of one owner's list, read `at_once` entries at a time: for exports."""
    role, shapes, parameters = reading.viewer.role, listed.shapes(values), listed.parameters(values, reading)
    order, found, cursor = listed.order, [], {}
    while True:
        statement = _pages(listed, owner, role, shapes, None, (False, bool(cursor)))
        _, rows = await reading.read_with(
            listed.row, statement, keys=[owner_key], page_limit=at_once, **parameters, **cursor
        )
        found += rows
        if len(rows) < at_once:
            return found
        last: Any = rows[-1]
        cursor = {"cursor_value": order.value_of(last), "cursor_key": last.key}
