"""Lists that each learner has of their own: pages of many learners in one statement, their totals in one more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, func

from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.dataloader import BaseLoader
from loaders.core.pagination import Order, Page, PageRequest, page_of_each
from loaders.core.read_session import OneLoader, ReadSession, cached_statement

V = TypeVar("V")


@dataclass(frozen=True, eq=False, slots=True)
class LearnerList(Generic[V]):
    """One kind of list. `statement` gives everything of it that a role sees, `row` makes the light row of one result.

    `conditions` are the filters by name, each with its value bound under that name; `sums` are added up over the whole
    list beside the number of its entries. A light row names its learner as `learner_key`.
    """

    learner: ColumnElement[int] | Any
    order: Order
    statement: Callable[[Role], Select[Any]]
    row: Callable[[Row[Any], ReadSession], V]
    conditions: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)
    sums: tuple[ColumnElement[int], ...] = ()


@cached_statement
def filtered(listed: LearnerList[Any], role: Role, names: frozenset[str]) -> Select[Any]:
    """The whole lists of the learners bound as `keys`, cut to those conditions, in no order."""
    statement = listed.statement(role).where(any_of(listed.learner))
    return statement.where(*(listed.conditions[name] for name in sorted(names)))


@cached_statement
def _pages(listed: LearnerList[Any], role: Role, names: frozenset[str], after: bool) -> Select[Any]:
    return page_of_each(filtered(listed, role, names), listed.order, listed.learner, after)


@cached_statement
def _totals(listed: LearnerList[Any], role: Role, names: frozenset[str]) -> Select[Any]:
    counted = filtered(listed, role, names).with_only_columns(listed.learner, func.count(), *listed.sums)
    return counted.group_by(listed.learner)


class TotalsLoader(OneLoader[int, Sequence[int]]):
    """Over a learner's whole list: how many entries, then each of the list's sums."""

    def __init__(self, reading: ReadSession, listed: LearnerList[Any], asked: Mapping[str, Any]) -> None:
        super().__init__(reading)
        self._listed = listed
        self._asked = asked

    async def fetch(self, keys: list[int]) -> dict[int, Sequence[int]]:
        nothing = (0,) * (1 + len(self._listed.sums))
        statement = _totals(self._listed, self.reading.viewer.role, frozenset(self._asked))
        rows = await self.reading.rows(statement, keys=keys, **self._asked)
        return dict.fromkeys(keys, nothing) | {learner: totals for learner, *totals in rows}


class PagesLoader(BaseLoader[int, Page[V]], Generic[V]):
    """One page of each learner's list, by the learner's key. `asked`: values of the list's conditions that are to hold.

    A page's `extra` gives the list's sums: `await page.extra()`. Raises BadArgument for a page that cannot be.
    """

    def __init__(
        self,
        reading: ReadSession,
        listed: LearnerList[V],
        first: int | None,
        after: str | None,
        asked: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self._reading = reading
        self._listed = listed
        self._page = PageRequest.read(first, after, listed.order)
        self._asked = asked
        self._totals = TotalsLoader(reading, listed, asked)

    async def read(self, keys: list[int]) -> list[Page[V]]:
        page, listed = self._page, self._listed
        statement = _pages(listed, self._reading.viewer.role, frozenset(self._asked), page.after is not None)
        found: dict[int, list[V]] = {key: [] for key in keys}
        for row in await self._reading.rows(statement, keys=keys, **self._asked, **page.parameters):
            made: Any = listed.row(row, self._reading)
            found[made.learner_key].append(made)
        return [self._page_of(key, found[key]) for key in keys]

    def _page_of(self, learner_key: int, rows: list[V]) -> Page[V]:
        async def count() -> int:
            return (await self._totals.load(learner_key))[0]

        async def sums() -> Sequence[int]:
            return (await self._totals.load(learner_key))[1:]

        return Page.of(rows, self._page, self._listed.order, count, sums)


async def whole_list(
    reading: ReadSession, listed: LearnerList[V], learner_key: int, asked: Mapping[str, Any], at_once: int
) -> list[V]:
    """Every entry of one learner's list, read `at_once` entries at a time: for exports."""
    found: list[V] = []
    after: dict[str, Any] = {}
    while True:
        statement = _pages(listed, reading.viewer.role, frozenset(asked), bool(after))
        rows = await reading.rows(statement, keys=[learner_key], page_limit=at_once, **asked, **after)
        made = [listed.row(row, reading) for row in rows]
        found += made
        if len(made) < at_once:
            return found
        last: Any = made[-1]
        after = {"after_value": listed.order.of(last), "after_key": last.key}
