"""Lists of the viewer's own (employers, people, qualifications, the audit trail): a page in one statement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select

from db.models.base import Key
from db.models.learner import Learner
from domain.enums import Role
from loaders.core.pagination import Order, Page, PageRequest, page_of, search_pattern
from loaders.core.read_session import ReadSession, cached_statement

V = TypeVar("V")


@dataclass(frozen=True, eq=False, slots=True)
class ViewerList(Generic[V]):
    """One kind of list. `statement` gives everything of it that a role sees, `row` makes the light row of one result.

    `conditions` are the filters by name, each with its value bound under that name; one that reads other records
    takes the role, so that it finds nothing by what the viewer does not see.
    """

    order: Order
    statement: Callable[[Role], Select[Any]]
    row: Callable[[Row[Any], ReadSession], V]
    conditions: Mapping[str, ColumnElement[bool] | Callable[[Role], ColumnElement[bool]]] = field(default_factory=dict)


def at_employer(learner_id: Any) -> ColumnElement[bool]:
    """A condition for a list of learners' records: those of the learners at the employer bound as `employer_key`."""
    # unscoped: a condition beside the scope of the statement that it cuts
    return learner_id.in_(select(Learner.id).where(Learner.employer_id == bindparam("employer_key", type_=Key)))


def _filtered(listed: ViewerList[Any], role: Role, names: frozenset[str]) -> Select[Any]:
    asked = (listed.conditions[name] for name in sorted(names))
    return listed.statement(role).where(*(one if isinstance(one, ColumnElement) else one(role) for one in asked))


@cached_statement
def _count(listed: ViewerList[Any], role: Role, names: frozenset[str]) -> Select[Any]:
    return _filtered(listed, role, names).with_only_columns(func.count(), maintain_column_froms=True)


@cached_statement
def _page(listed: ViewerList[Any], role: Role, names: frozenset[str], after: bool, counted: bool) -> Select[Any]:
    statement = _filtered(listed, role, names)
    if counted:
        statement = statement.add_columns(_count(listed, role, names).scalar_subquery().label("count"))
    return page_of(statement, listed.order, after)


async def read_page(
    reading: ReadSession, listed: ViewerList[V], first: int, after: str | None, counted: bool, asked: Mapping[str, Any]
) -> Page[V]:
    """One page. `asked`: values of the conditions that are to hold; None is not asked for, `search` as it was typed.

    `counted`: how many there are is read in the same statement. Raises BadArgument for a page, cursor or search that
    cannot be.
    """
    page = PageRequest.read(first, after, listed.order)
    values = {name: value for name, value in asked.items() if value is not None}
    if "search" in values:
        values["search"] = search_pattern(values["search"])
    role, names = reading.viewer.role, frozenset(values)
    statement = _page(listed, role, names, page.after is not None, counted)
    found = await reading.rows(statement, **values, **page.parameters)
    known = found[0]._mapping["count"] if counted and found else None

    async def count() -> int:
        if known is not None:
            return known
        return (await reading.rows(_count(listed, role, names), **values))[0][0]

    return Page.of([listed.row(row, reading) for row in found], page, listed.order, count)
