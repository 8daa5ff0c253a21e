"""What comes next for a learner: the next session, and the numbers of outstanding and overdue actions."""

from sqlalchemy import Select, case, func, literal, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.action import Action
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import User
from db.sql.any_of import any_of
from db.sql.progress import total
from domain.enums import Role
from loaders.action import OUTSTANDING
from loaders.core.base import OneLoader
from loaders.core.rows import LightRow, column, optional, row
from loaders.count_conditions import overdue
from loaders.session import SessionRow, next_planned


@row(Learner)
class UpcomingRow(LightRow):
    """The planned session that begins next (None if none is booked), and the numbers of actions to do."""

    learner_key: int = column(Learner.id)
    outstanding_action_count: int = column()
    overdue_action_count: int = column()
    next_session: SessionRow | None = optional(SessionRow)


@cached_statement
def _upcoming(role: Role, counts_overdue: bool) -> Select:
    # Whether an action is overdue depends on the breaks of its aim, which costs more than the rest.
    overdue_count = total(case((overdue(role), 1), else_=0)) if counts_overdue else literal(0)
    outstanding = (
        select(
            Action.learner_id,
            func.count().label("count"),
            overdue_count.label("overdue"),
        )
        .where(any_of(Action.learner_id), OUTSTANDING, scope.sees(role, Action))
        .group_by(Action.learner_id)
        .cte("outstanding")
        # Computed once, not for each learner.
        .prefix_with("MATERIALIZED")
    )
    return (
        UpcomingRow.select(
            role,
            outstanding_action_count=func.coalesce(outstanding.c.count, 0),
            overdue_action_count=func.coalesce(outstanding.c.overdue, 0),
        )
        .outerjoin(Session, Session.id == next_planned(role))
        .outerjoin(User, User.id == Session.assessor_id)
        .outerjoin(outstanding, outstanding.c.learner_id == Learner.id)
        .where(any_of(Learner.id), scope.sees(role, Learner))
    )


class UpcomingLoader(OneLoader[int, UpcomingRow]):
    """Loads what comes next by the learner's key."""

    keys_of, row = "learner", UpcomingRow

    async def fetch(self, keys: list[int]) -> dict[int, UpcomingRow]:
        reading = self.reading
        statement = _upcoming(reading.viewer.role, reading.needs(UpcomingRow, "overdue_action_count"))
        rows = await reading.read(UpcomingRow, statement, (), keys=keys, now=reading.now, today=reading.today)
        return {row.learner_key: row for row in rows}
