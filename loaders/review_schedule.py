"""Formal reviews: when each learner was last reviewed, and when the next review is due."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Select, func, select

from auth import scope
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.session import Session
from db.sql.any_of import any_of
from domain import clock
from domain.enums import AimStatus, Role, SessionStatus, SessionType
from loaders.core.base import OneLoader
from loaders.core.read_session import ReadSession, cached_statement
from loaders.core.rows import LightRow, column, derived, row


@row(Learner)
class ReviewScheduleRow(LightRow):
    """When the last attended formal review began (None before the first), and the day by which the next is due.

    The next is due the provider's interval after the last one or, before the first, after the earliest start of an aim
    in training. None if no aim is in training.
    """

    learner_key: int = column(Learner.id)
    last_review_at: dt.datetime | None = column()
    # The earliest start of an aim in training.
    training_since: dt.date | None = column()
    review_due_on: dt.date | None = derived()

    @classmethod
    def derive(cls, rows: Sequence["ReviewScheduleRow"], reading: ReadSession) -> None:
        weeks = reading.viewer.rules.review_interval_weeks
        for schedule in rows:
            schedule.review_due_on = None
            if schedule.training_since is not None:
                last = schedule.last_review_at
                schedule.review_due_on = clock.weeks_after(
                    clock.day_of(last) if last else schedule.training_since, weeks
                )


@cached_statement
def _schedules(role: Role) -> Select:
    last = (
        select(Session.learner_id, func.max(Session.starts_at).label("at"))
        .where(
            any_of(Session.learner_id),
            Session.type == SessionType.FORMAL_REVIEW,
            Session.status == SessionStatus.ATTENDED,
            scope.sees(role, Session),
        )
        .group_by(Session.learner_id)
        .subquery()
    )
    training = (
        select(Aim.learner_id, func.min(Aim.start_date).label("since"))
        .where(any_of(Aim.learner_id), Aim.status == AimStatus.IN_TRAINING, scope.sees_aim(role))
        .group_by(Aim.learner_id)
        .subquery()
    )
    return (
        ReviewScheduleRow.select(role, last_review_at=last.c.at, training_since=training.c.since)
        .outerjoin(last, last.c.learner_id == Learner.id)
        .outerjoin(training, training.c.learner_id == Learner.id)
        .where(any_of(Learner.id), scope.sees(role, Learner))
    )


class ReviewScheduleLoader(OneLoader[int, ReviewScheduleRow]):
    """Loads the review schedule of a learner, over the sessions and aims that the viewer sees."""

    keys_of = "learner"

    async def fetch(self, keys: list[int]) -> dict[int, ReviewScheduleRow]:
        rows = await self.reading.read(ReviewScheduleRow, _schedules(self.reading.viewer.role), keys=keys)
        return {row.learner_key: row for row in rows}
