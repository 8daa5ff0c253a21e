"""Formal reviews: when each learner was last reviewed and when the next is due, one statement for a page of them."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from auth import scope
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.session import Session
from db.sql.any_of import any_of
from domain import clock
from domain.enums import AimStatus, Role, SessionStatus, SessionType
from loaders.core.base import OneLoader
from loaders.core.read_session import cached_statement


@dataclass(slots=True)
class ReviewScheduleRow:
    """When the last attended FORMAL_REVIEW began, None before the first; the day by which the next is due.

    The next is due the provider's interval after the last, or after the earliest start of an aim in training where
    there was none; None for a learner with no aim in training.
    """

    last_review_at: dt.datetime | None
    review_due_on: dt.date | None


@cached_statement
def _reviews(role: Role) -> Select:
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
        select(Learner.id, last.c.at, training.c.since)
        .outerjoin(last, last.c.learner_id == Learner.id)
        .outerjoin(training, training.c.learner_id == Learner.id)
        .where(any_of(Learner.id), scope.sees(role, Learner))
    )


class ReviewScheduleLoader(OneLoader[int, ReviewScheduleRow]):
    """By the learner's key, over the sessions and aims that the viewer sees."""

    keys_of = "learner"

    async def fetch(self, keys: list[int]) -> dict[int, ReviewScheduleRow]:
        interval = dt.timedelta(weeks=self.reading.viewer.rules.review_interval_weeks)
        found = {}
        for learner, last, since in await self.reading.rows(_reviews(self.reading.viewer.role), keys=keys):
            due = None
            if since is not None:
                due = (clock.day_of(last) if last else since) + interval
            found[learner] = ReviewScheduleRow(last, due)
        return found
