"""What history works out in SQL: the days on which a light changes, and the numbers of months."""

import datetime as dt
from random import Random

from sqlalchemy import Integer, bindparam, select

from db.database import Database
from db.models.aim import AimProgress
from db.models.aim_history import AimHistory
from db.sql.day_number import month_number
from domain import progress
from domain.day_number import day_number
from domain.enums import AimStatus, TrafficLight
from tests.support.factories import DAY, Factory


def light_of(row: AimHistory, day: int) -> TrafficLight:
    if row.rated_from is None or day < row.rated_from:
        return TrafficLight.NOT_RATED
    if row.off_track_from is not None and day >= row.off_track_from:
        return TrafficLight.OFF_TRACK
    return TrafficLight.ON_TRACK if row.on_track_from is not None and day >= row.on_track_from else TrafficLight.AHEAD


async def test_the_light_of_every_day_is_that_of_the_rule(database: Database):
    rng, rules = Random(5), {}
    async with database.writing() as session:
        factory = Factory(session)
        for tolerance, rated_from in ((10.0, 0.0), (0.0, 0.0), (4.5, 12.5), (30.0, 100.0), (100.0, 1.0)):
            provider = await factory.provider(traffic_light_tolerance=tolerance, rated_from_percent=rated_from)
            rules[provider.id] = tolerance, rated_from
            learner, standard = await factory.learner(provider, "Ada"), await factory.qualification(provider, units=())
            for number in range(30):
                start = factory.today + rng.randrange(-200, 30) * DAY
                planned_end = start + rng.choice([0, 1, 6, 99, 700]) * DAY
                away = rng.choice([0, 0, (planned_end - start).days // 3])
                criteria = rng.choice([0, 1, 7, 40, 2600])
                status = AimStatus.IN_TRAINING if number % 5 else rng.choice(list(AimStatus))
                await factory.aim(
                    learner, standard, criteria=criteria, mapped=rng.randrange(criteria + 1), start_date=start,
                    planned_end_date=planned_end, status=status, breaks=[(start, start + away * DAY)] if away else [],
                )  # fmt: skip
    seen = set()
    async with database.snapshot() as session:
        pairs = await session.execute(
            select(AimHistory, AimProgress).join(AimProgress, AimProgress.aim_id == AimHistory.aim_id)
        )
        for row, sums in pairs:
            tolerance, rated_from = rules[row.provider_id]
            for number in range(-3, (row.planned_end_date - row.start_date).days + 5):
                day = row.start_date + number * DAY
                expected = progress.traffic_light(
                    in_training=row.status is AimStatus.IN_TRAINING,
                    criteria_total=sums.criteria_total,
                    mapped=progress.reached_tenths(sums.criteria_mapped, sums.criteria_total, sums.units_to_choose),
                    duration=progress.duration_tenths(row.start_date, row.planned_end_date, day, sums.days_on_break),
                    tolerance=tolerance,
                    rated_from=rated_from,
                )
                assert light_of(row, day_number(day)) is expected, (row.aim_id, day)
                late = progress.is_past_planned_end(row.status, row.planned_end_date, day)
                assert (row.late_from is not None and day_number(day) >= row.late_from) is late
                seen.add(expected)
    assert seen == set(TrafficLight)


async def test_every_day_has_the_number_of_its_month(database: Database):
    statement = select(month_number(bindparam("day", type_=Integer)).label("number"))
    first = dt.date(2000, 3, 1)
    # Four years, and the days around the end of a February in later ones.
    days = [first + number * DAY for number in range(0, 4 * 366, 3)]
    days += [day for year in (2026, 2028, 2099) for day in (dt.date(year, 2, 28), dt.date(year, 3, 1))]
    for day in days:
        (row,) = await database.rows(statement, {"day": day_number(day)})
        assert row.number == (day.year - 2000) * 12 + day.month - 3, day
