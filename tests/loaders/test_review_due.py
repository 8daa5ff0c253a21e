"""The due day of reviews in SQL, by which learners are filtered and sorted, is the one that each learner shows."""

import datetime as dt
from random import Random

from sqlalchemy import select

from auth import scope
from db.database import Database
from db.models.learner import Learner
from domain.day_number import NO_DAY_NUMBER, day_number
from domain.enums import AimStatus, Role, SessionStatus, SessionType
from loaders.core.registry import Loaders
from loaders.review_due import parameters, review_due_order
from loaders.review_schedule import ReviewScheduleLoader
from tests.support.factories import DAY, Factory
from tests.support.viewers import reading, viewer


async def test_the_due_day_is_that_of_the_review_schedule(database: Database):
    rng = Random(11)
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider()
        users = {role: await factory.user(provider, role.value, role) for role in (Role.MASTER_ADMIN, Role.ASSESSOR)}
        other = await factory.user(provider, "Other", Role.ASSESSOR)
        qualification = await factory.qualification(provider, units=())
        for number in range(60):
            learner = await factory.learner(provider, f"Learner {number}")
            for _ in range(rng.randint(0, 3)):
                # Before and after 1 August 2025, on which the rule changes.
                start = dt.date(2025, 8, 1) + rng.randrange(-40, 200) * DAY
                status = rng.choice((AimStatus.IN_TRAINING,) * 3 + (AimStatus.SUSPENDED, AimStatus.WITHDRAWN))
                assessor = rng.choice((users[Role.ASSESSOR], other))
                aim = await factory.aim(learner, qualification, start_date=start, status=status, assessor=assessor)
                for _ in range(rng.choice((0, 0, 1, 2))):
                    begun = start + rng.randrange(1, 200) * DAY
                    await factory.aim_break(aim, assessor, begun, begun + rng.randrange(1, 90) * DAY)
                for _ in range(rng.choice((0, 1, 2))):
                    # Around midnight too: the day is that of London.
                    at = dt.datetime(2025, 9, 1, tzinfo=dt.UTC) + rng.randrange(24 * 400) * dt.timedelta(hours=1)
                    kind = rng.choice((SessionType.FORMAL_REVIEW,) * 3 + (SessionType.GENERAL,))
                    met = rng.choice((SessionStatus.ATTENDED,) * 3 + (SessionStatus.CANCELLED,))
                    await factory.session_of(learner, assessor, at, aim, type=kind, status=met)
    for role, user in users.items():
        for rules in ({}, {"review_interval_weeks": 8}):
            loaded = reading(database, viewer(user, role, **rules))
            due = select(Learner.id, review_due_order(role).value.label("due")).where(scope.sees(role, Learner))
            found = await database.rows(
                due, {**scope.viewer_params(loaded.viewer), **parameters(loaded), "no_end": NO_DAY_NUMBER}
            )
            schedules = await Loaders(loaded)[ReviewScheduleLoader].load_many([row.id for row in found])
            assert {row.id: row.due for row in found} == {
                each.learner_key: day_number(each.review_due_on) if each.review_due_on else NO_DAY_NUMBER
                for each in schedules
            }
            assert len({row.due for row in found}) > 10
