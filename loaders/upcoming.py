"""What lies ahead of a learner: the next session and how much is outstanding; one statement for a page of learners."""

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, case, func, select
from sqlalchemy.orm import aliased

from auth import scope
from db.models.action import Action
from db.models.base import UtcDateTime
from db.models.learner import Learner
from db.models.session import Session
from db.models.user import User
from db.sql.any_of import any_of
from db.sql.progress import TODAY, total
from domain.enums import Role, SessionStatus
from loaders.action import OUTSTANDING
from loaders.core.base import OneLoader
from loaders.core.read_session import cached_statement
from loaders.core.rows import LightRow, optional, row
from loaders.session import SessionRow


@row()
class _NextSessionRow(LightRow):
    session: SessionRow | None = optional(SessionRow)


@dataclass(slots=True)
class UpcomingRow:
    """The session that begins next, None where none is booked; how many actions are not complete, and how many late."""

    next_session: SessionRow | None
    outstanding_action_count: int
    overdue_action_count: int


@cached_statement
def _upcoming(role: Role) -> Select:
    # One visit of an index for each learner, whatever the database expects: a join with the booked sessions, numbered,
    # is planned for a handful of learners and then run for a page of them.
    other = aliased(Session)
    booked = (
        select(other.id)
        .where(
            other.learner_id == Learner.id,
            other.status == SessionStatus.PLANNED,
            other.starts_at >= bindparam("moment", type_=UtcDateTime),
            # By the learner, whose session it is: the learner is not looked up again for each session.
            scope.sees_session(role, other.id, Learner.id),
            scope.of_provider(other),
        )
        .order_by(other.starts_at, other.id)
        .limit(1)
        .correlate(Learner)
        .scalar_subquery()
    )
    outstanding = (
        select(
            Action.learner_id,
            func.count().label("count"),
            total(case((Action.target_date < TODAY, 1), else_=0)).label("late"),
        )
        .where(any_of(Action.learner_id), OUTSTANDING, scope.sees(role, Action))
        .group_by(Action.learner_id)
        .cte("outstanding")
        # Counted once, and not again for each learner that it is joined to.
        .prefix_with("MATERIALIZED")
    )
    return (
        select(
            Learner.id.label("learner"),
            func.coalesce(outstanding.c.count, 0),
            func.coalesce(outstanding.c.late, 0),
            *SessionRow.columns(role),
        )
        .select_from(Learner)
        .outerjoin(Session, Session.id == booked)
        .outerjoin(User, User.id == Session.assessor_id)
        .outerjoin(outstanding, outstanding.c.learner_id == Learner.id)
        .where(any_of(Learner.id), scope.sees(role, Learner))
    )


class UpcomingLoader(OneLoader[int, UpcomingRow]):
    """What lies ahead, by the learner's key."""

    keys_of = "learner"

    async def fetch(self, keys: list[int]) -> dict[int, UpcomingRow]:
        reading = self.reading
        [learners, counts, late], rows = await reading.read_with(
            _NextSessionRow, _upcoming(reading.viewer.role), 3, keys=keys, moment=reading.now, today=reading.today
        )
        return {
            learner: UpcomingRow(each.session, *counted)
            for learner, each, *counted in zip(learners, rows, counts, late, strict=True)
        }
