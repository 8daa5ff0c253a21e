"""The learners of each employer, a page at a time: all the employers of a page in one statement."""

from typing import Any

from sqlalchemy import Select, func

from db.models.learner import Learner
from db.sql.any_of import any_of
from domain.enums import LearnerOrder, Role
from loaders.core.dataloader import BaseLoader
from loaders.core.pagination import Page, PageRequest, page_of_each
from loaders.core.read_session import OneLoader, ReadSession, cached_statement
from loaders.learner import LearnerFilter, LearnerRow, filtered, learner_row, order_of


@cached_statement
def _pages(role: Role, asked: LearnerFilter, which: LearnerOrder, after: bool) -> Select[Any]:
    order = order_of(which, role)
    more = [order.value.label("planned_end")] if which is LearnerOrder.PLANNED_END_ASC else []
    learners = filtered(role, asked, True, *more).where(any_of(Learner.employer_id))
    return page_of_each(learners, order, Learner.employer_id, after)


@cached_statement
def _counts(role: Role, asked: LearnerFilter) -> Select[Any]:
    counted = filtered(role, asked, columns=False).where(any_of(Learner.employer_id))
    return counted.with_only_columns(Learner.employer_id, func.count()).group_by(Learner.employer_id)


class _CountLoader(OneLoader[int, int]):
    """How many of an employer's learners there are."""

    def __init__(self, reading: ReadSession, asked: LearnerFilter) -> None:
        super().__init__(reading)
        self._asked = asked

    async def fetch(self, keys: list[int]) -> dict[int, int]:
        statement = _counts(self.reading.viewer.role, self._asked.sql_shape)
        rows = await self.reading.rows(statement, keys=keys, **self._asked.parameters(self.reading))
        return dict.fromkeys(keys, 0) | {employer: count for employer, count in rows}


class LearnersOfEmployerLoader(BaseLoader[int, Page[LearnerRow]]):
    """One page of each employer's learners whom the viewer sees, by the employer's key.

    Raises BadArgument for a page, cursor or search that cannot be.
    """

    def __init__(
        self, reading: ReadSession, asked: LearnerFilter, which: LearnerOrder, first: int, after: str | None
    ) -> None:
        super().__init__()
        self._reading = reading
        self._asked = asked
        self._which = which
        self._order = order_of(which, reading.viewer.role)
        self._page = PageRequest.read(first, after, self._order)
        self._parameters = asked.parameters(reading) | self._page.parameters
        self._counts = _CountLoader(reading, asked)

    async def read(self, keys: list[int]) -> list[Page[LearnerRow]]:
        after = self._page.after is not None
        statement = _pages(self._reading.viewer.role, self._asked.sql_shape, self._which, after)
        found: dict[int, list[LearnerRow]] = {key: [] for key in keys}
        for row in await self._reading.rows(statement, keys=keys, **self._parameters):
            found[row.employer_id].append(learner_row(row, self._which))
        return [self._page_of(key, found[key]) for key in keys]

    def _page_of(self, employer_key: int, learners: list[LearnerRow]) -> Page[LearnerRow]:
        return Page.of(learners, self._page, self._order, lambda: self._counts.load(employer_key))
