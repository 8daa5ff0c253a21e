"""Lists with filters and orders, read a page at a time.

    ACTIONS = PagedList(
        ActionRow,
        Order("target_date", Action.target_date, Action.id, "target_date"),
        owners={"learner": Action.learner_id},
        filters={"status": equals(Action.status), "outstanding_only": flag(OUTSTANDING)},
    )

    await read_page(reading, ACTIONS, arguments, {"status": status})           # a page of all that the viewer sees
    await loaders.get(PagesLoader, ACTIONS, "learner", arguments).load(key)    # a page of one learner's
    await whole_list(reading, ACTIONS, "learner", key, {}, at_once=1000)       # all of one learner's

The pages of many owners are read in one statement. The totals of a list are read only when they are selected.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select

from db.cached_statement import CachedStatement
from domain.enums import Role
from loaders.core import list_statements
from loaders.core.base import OneLoader
from loaders.core.dataloader import BaseLoader
from loaders.core.filters import Condition, Filter
from loaders.core.pagination import Order, Page, PageArguments, PageRequest
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.core.rows import LightRow

R = TypeVar("R", bound=LightRow)
# The name and shape of each filter that applies: what a list's statement depends on besides role and order.
Shapes = frozenset[tuple[str, Any]]


@dataclass(frozen=True, eq=False, slots=True)
class PagedList(Generic[R]):
    """A list over all rows of a light row that the viewer sees.

    `order` is the default order; `orders` are further ones by the member of an enum, which may depend on the role.
    `owners` are the columns by which the list of one owner is read, by the name of the owner. `condition` limits the
    list for all viewers. `sums` are totals of the whole list by name, besides `count`. `bound` returns the parameters
    of the row's own expressions. `source` is for a row without a table: it returns what the list is read from, scoped,
    for the filters that apply. `narrowed` returns the values of the filters, limited to what can be in the list of the
    viewer at all.
    """

    row: type[R]
    order: Order
    owners: Mapping[str, Any] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    orders: Mapping[Any, Order | Callable[[Role], Order]] = field(default_factory=dict)
    condition: Callable[[Role], Condition] | None = None
    sums: Mapping[str, Any] = field(default_factory=dict)
    bound: Callable[[ReadSession], Mapping[str, Any]] = lambda reading: {}
    source: Callable[[Role, Shapes], Any] | None = None
    narrowed: Callable[[ReadSession, Mapping[str, Any]], Mapping[str, Any]] = lambda reading, values: values

    def order_for(self, order_by: Any, role: Role) -> Order:
        """Returns the order for a member of the enum, or the default."""
        order = self.orders.get(order_by, self.order)
        return order if isinstance(order, Order) else order(role)

    def shapes(self, values: Mapping[str, Any]) -> Shapes:
        """Returns the filters that apply for these values."""
        return frozenset(
            (name, self.filters[name].shape(value))
            for name, value in values.items()
            if self.filters[name].applies(value)
        )

    def parameters(self, values: Mapping[str, Any], reading: ReadSession) -> dict[str, Any]:
        """Returns what the row and the filters bind. Raises BadArgument for an invalid value."""
        bound = dict(self.bound(reading))
        for name, value in values.items():
            if self.filters[name].applies(value):
                bound |= self.filters[name].bound(name, value, reading)
        return bound

    def statement(self, role: Role, shapes: Shapes, *leading: Any) -> Select:
        """Selects the whole list, filtered but not ordered. `leading` columns come first."""
        if self.source is not None:
            statement = self._from(self.source(role, shapes), *leading, *self.row.columns(role))
        else:
            statement = self.row.statement(role, *leading)
        return self._filtered(statement, role, shapes)

    def totals(self, role: Role, shapes: Shapes, *leading: Any, sums: bool = True) -> Select:
        """Selects `count` and the list's sums after `leading`. Joins other tables only if a filter needs them."""
        totals = [func.count().label("count")]
        if sums:
            totals += [expression.label(name) for name, expression in self.sums.items()]
        if any(self.filters[name].reads_joined for name, _ in shapes):
            return self.statement(role, shapes).with_only_columns(*leading, *totals, maintain_column_froms=True)
        if self.source is not None:
            statement = self._from(self.source(role, shapes), *leading, *totals)
        else:
            statement = self.row.statement_of(role, *leading, *totals)
        return self._filtered(statement, role, shapes)

    @staticmethod
    def _from(source: Any, *columns: Any) -> Select:
        # unscoped: the source is scoped
        return select(*columns).select_from(source)

    def _filtered(self, statement: Select, role: Role, shapes: Shapes) -> Select:
        if self.condition is not None:
            statement = statement.where(self.condition(role))
        conditions: dict[Any, list[Condition]] = {}
        for name, shape in sorted(shapes, key=repr):
            each = self.filters[name]
            conditions.setdefault(each.combine, []).append(each.build(role, name, shape))
        own = conditions.pop(None, [])
        return statement.where(*own, *(combine(role, group) for combine, group in conditions.items()))


# ---------------------------------------------------------------------- reads


async def read_page(
    reading: ReadSession,
    paged_list: PagedList[R],
    arguments: PageArguments,
    values: Mapping[str, Any],
    order_by: Any = None,
    counted: bool = False,
) -> Page[R]:
    """Returns one page of all that the viewer sees. `values` are those of the filters by name; None does not filter.

    `counted`: the same statement counts the entries of the whole list. Raises BadArgument for invalid page arguments
    and values.
    """
    values = paged_list.narrowed(reading, values)
    role, shapes = reading.viewer.role, paged_list.shapes(values)
    order = paged_list.order_for(order_by, role)
    request, filtered_by = PageRequest.parse(arguments, order), paged_list.parameters(values, reading)
    parameters = {**order.bound(reading), **request.parameters, **filtered_by}
    statement = list_statements.page(paged_list, None, role, shapes, order_by, request.shape, counted)

    async def totals() -> Mapping[str, int]:
        [row] = await reading.rows(list_statements.totals(paged_list, role, shapes), **filtered_by)
        return row._asdict()

    return await _read_one(reading, paged_list.row, statement, order, request, counted, totals, parameters)


async def _read_one(
    reading: ReadSession,
    row: type[R],
    statement: CachedStatement[Any],
    order: Order,
    request: PageRequest,
    counted: bool,
    totals: Callable[[], Awaitable[Mapping[str, int]]],
    parameters: Mapping[str, Any],
) -> Page[R]:
    """Runs a statement that `list_statements.page` has returned."""
    selects_order_value = order.of is None
    names = ["count"] * counted + ["order_value"] * selects_order_value
    leading, rows = await reading.read_with(row, statement, names, order.reads, **parameters)
    # A page without rows has no count either, which is 0 if no cursor was given.
    known_count = next(iter(leading["count"]), None if request.cursor else 0) if counted else None
    order_values = list(leading["order_value"]) if selects_order_value else None
    return Page.from_rows(rows, request, order, totals, known_count, order_values)


class PagesLoader(BaseLoader[int, Page[R]], Generic[R]):
    """Loads one page of the list of each owner, by the owner's key. `owner` is a name in `PagedList.owners`.

    `values` are those of the filters, as sorted pairs of name and value. `counted`: if there is one owner, the same
    statement counts the entries of the whole list. Raises BadArgument for invalid page arguments and values.
    """

    def __init__(
        self,
        loaders: Loaders,
        paged_list: PagedList[R],
        owner: str,
        arguments: PageArguments,
        values: tuple[tuple[str, Any], ...] = (),
        order_by: Any = None,
        counted: bool = False,
    ) -> None:
        super().__init__()
        self._counted = counted
        self._reading = reading = loaders.reading
        self._list = paged_list
        self._owner = owner
        self._order_by = order_by
        self._order = paged_list.order_for(order_by, reading.viewer.role)
        self._request = PageRequest.parse(arguments, self._order)
        narrowed = paged_list.narrowed(reading, dict(values))
        self._shapes, self._parameters = paged_list.shapes(narrowed), paged_list.parameters(narrowed, reading)
        self._totals = _TotalsLoader(loaders, paged_list, owner, self._shapes, self._parameters)

    async def read(self, keys: list[int]) -> list[Page[R]]:
        request, order, load = self._request, self._order, self._totals.load
        parameters = {**order.bound(self._reading), **self._parameters, **request.parameters}
        key = (self._list, self._owner, self._reading.viewer.role, self._shapes, self._order_by, request.shape)
        if len(keys) == 1:
            # The totals of several lists are cheaper in a statement of their own, which reads all of them at once.
            totals, parameters["owner_key"] = partial(load, keys[0]), keys[0]
            statement = list_statements.page(*key, self._counted)
            page = _read_one(
                self._reading, self._list.row, statement, order, request, self._counted, totals, parameters
            )
            return [await page]
        selects_order_value = order.of is None
        leading, rows = await self._reading.read_with(
            self._list.row, list_statements.pages(*key), ["owner_key"] + ["order_value"] * selects_order_value,
            order.reads, keys=keys, **parameters,
        )  # fmt: skip
        owner_keys = list(leading["owner_key"])
        rows_of: dict[int, list[R]] = {key: [] for key in keys}
        for owner_key, row in zip(owner_keys, rows, strict=True):
            rows_of[owner_key].append(row)
        order_values_of: dict[int, list[Any]] = {key: [] for key in keys} if selects_order_value else {}
        for owner_key, order_value in zip(owner_keys, leading.get("order_value", ()), strict=selects_order_value):
            order_values_of[owner_key].append(order_value)
        return [
            Page.from_rows(rows_of[key], request, order, partial(load, key), None, order_values_of.get(key))
            for key in keys
        ]


class _TotalsLoader(OneLoader[int, Mapping[str, int]]):
    """Loads the totals of the whole list of each owner, by name."""

    def __init__(
        self, loaders: Loaders, paged_list: PagedList[Any], owner: str, shapes: Shapes, parameters: Mapping[str, Any]
    ) -> None:
        super().__init__(loaders)
        self._list = paged_list
        self._owner = owner
        self._shapes = shapes
        self._parameters = parameters

    async def fetch(self, keys: list[int]) -> dict[int, Mapping[str, int]]:
        statement = list_statements.totals_of_each(self._list, self._owner, self.reading.viewer.role, self._shapes)
        rows = await self.reading.rows(statement, keys=keys, **self._parameters)
        names = ["count", *self._list.sums]
        found: dict[int, Mapping[str, int]] = dict.fromkeys(keys, dict.fromkeys(names, 0))
        return found | {row.owner_key: {name: getattr(row, name) for name in names} for row in rows}


async def whole_list(
    reading: ReadSession, paged_list: PagedList[R], owner: str, owner_key: int, values: Mapping[str, Any], at_once: int
) -> list[R]:
    """Returns all entries of one owner's list in its default order, read `at_once` entries at a time (for exports)."""
    role, order = reading.viewer.role, paged_list.order
    values = paged_list.narrowed(reading, values)
    shapes, parameters = paged_list.shapes(values), paged_list.parameters(values, reading)
    found: list[R] = []
    cursor: dict[str, Any] = {}
    while True:
        statement = list_statements.page(paged_list, owner, role, shapes, None, (False, bool(cursor)), False)
        rows = await reading.read(
            paged_list.row, statement, owner_key=owner_key, page_limit=at_once, **parameters, **cursor
        )
        found += rows
        if len(rows) < at_once:
            return found
        last: Any = rows[-1]
        cursor = {"cursor_value": order.value_of(last), "cursor_key": last.key}
