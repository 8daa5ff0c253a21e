"""The past as it was: after weeks of changes, history says of each day what the KPIs said on that day."""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, select

from db.database import Database
from db.history.complete import complete
from db.history.daily_rows import note_time
from db.models.aim import Aim, AimProgress
from db.models.aim_break import AimBreak
from db.models.aim_history import AimHistory, TimeHistory
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.time_log_entry import TimeLogEntry
from domain import clock
from domain.enums import AimStatus, Interval, JobSetting, KpiGroupBy, Role
from loaders.aggregates import Metric
from loaders.core.registry import Loaders
from loaders.kpi_groups import kpi_groups
from loaders.kpi_history import kpi_history
from loaders.kpi_past import KEPT, kpi_groups_on
from loaders.kpis import KpisLoader
from services.audit.batches import problems_in
from services.audit.history_check import check_history
from services.off_the_job import recount_time
from services.progress import recount_breaks
from tests.support.databases import Databases
from tests.support.factories import DAY, Factory
from tests.support.viewers import reading, viewer

FIRST = dt.date(2026, 2, 20)
# Over the change to summer time, and the ends of months.
DAYS = 75
READ = KEPT | {Metric.ACTUAL_TIME}
NAMES = (
    "learner_count", "aim_count", "off_track_count", "on_track_count", "ahead_count", "not_rated_count",
    "past_planned_end_count",
)  # fmt: skip


@dataclass
class Journal:
    """What was seen on each day, with the code that counts the numbers of now."""

    database: Database
    who: dict[Role, object] = field(default_factory=dict)
    kpis: dict[tuple[Role, dt.date], dict] = field(default_factory=dict)
    groups: dict[tuple[KpiGroupBy, dt.date], dict] = field(default_factory=dict)
    # Aims by the day on which their start was known.
    started: Counter = field(default_factory=Counter)
    today: dt.date = FIRST

    @property
    def now(self) -> dt.datetime:
        return clock.end_of(self.today) - dt.timedelta(minutes=10)

    def reading(self, role: Role = Role.MASTER_ADMIN):
        return reading(self.database, self.who[role], self.now)


@pytest.fixture(scope="module")
async def journal(databases: Databases, backend: str) -> AsyncIterator[Journal]:
    url = await databases.fresh(backend)
    database = Database(url)
    journal, rng = Journal(database), Random(11)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: journal.now)
        async with database.writing() as session:
            factory = Factory(session, journal.now)
            provider = await factory.provider(rated_from_percent=5.0)
            people = [await factory.user(provider, f"A {n}", Role.ASSESSOR) for n in range(2)]
            admin = await factory.user(provider, "Admin", Role.MASTER_ADMIN)
            sites = [await factory.employer(provider, f"Site {n}") for n in range(2)]
            standards = [await factory.qualification(provider, f"Standard {n}", units=()) for n in range(2)]
        for number in range(DAYS):
            journal.today = FIRST + number * DAY
            async with database.writing() as session:
                if number == 50:
                    (await session.get_one(Provider, provider.id)).traffic_light_tolerance = 4.0
                for _ in range(rng.choice([0, 1, 4])):
                    await change(session, journal, rng, provider, people, sites, standards, admin)
            rules = {"rated_from_percent": 5.0, "traffic_light_tolerance": 10.0 if number < 50 else 4.0}
            journal.who[Role.MASTER_ADMIN] = viewer(admin, Role.MASTER_ADMIN, **rules)
            await note(journal)
    yield journal
    await database.close()
    await databases.release(url)


async def change(session, journal, rng, provider, people, sites, standards, admin) -> None:
    """One random change, as mutations make them."""
    factory, today = Factory(session, journal.now), journal.today
    learners = list(await session.scalars(select(Learner).order_by(Learner.id)))
    aims = list(await session.scalars(select(Aim).order_by(Aim.id)))
    kind = rng.randrange(9)
    if kind == 0 or len(aims) < 4:
        learner = await factory.learner(provider, f"L {factory.today}{rng.random()}", rng.choice([*sites, None]))
        for _ in range(rng.choice([0, 1, 2])):
            start = today + rng.randrange(-60, 20) * DAY
            await factory.aim(
                learner, rng.choice(standards), assessor=rng.choice([*people, None]), criteria=40,
                mapped=rng.randrange(20), start_date=start, planned_end_date=start + rng.randrange(20, 200) * DAY,
                status=rng.choice([AimStatus.AWAITING_INDUCTION, AimStatus.IN_TRAINING]),
            )  # fmt: skip
            journal.started[max(start, today)] += 1
        return
    aim = rng.choice(aims)
    sums = await session.get_one(AimProgress, aim.id)
    match kind:
        case 1 | 2:
            sums.criteria_mapped = rng.randrange(41)
            sums.criteria_signed_off = rng.randrange(sums.criteria_mapped + 1)
        case 3:
            statuses = [AimStatus.IN_TRAINING, AimStatus.COMPLETED, AimStatus.WITHDRAWN, AimStatus.AWAITING_INDUCTION]
            if sums.break_since is None:
                aim.status = rng.choice(statuses)
                await session.flush()
                await recount_time(session, TimeLogEntry.learner_id == aim.learner_id)
                note_time(session, aim.learner_id)
        case 4:
            if aim.status is AimStatus.IN_TRAINING:
                aim.status = AimStatus.SUSPENDED
                await factory.aim_break(aim, admin, max(today - 3 * DAY, aim.start_date), None)
            elif aim.status is AimStatus.SUSPENDED:
                aim.status = AimStatus.IN_TRAINING
                open_ = select(AimBreak).where(AimBreak.aim_id == aim.id, AimBreak.returned_on.is_(None))
                for each in await session.scalars(open_):
                    each.returned_on = max(today, each.start_date)
            await session.flush()
            await recount_breaks(session, aim)
        case 5:
            aim.assessor_id = rng.choice([people[0].id, people[1].id, None])
        case 6:
            rng.choice(learners).employer_id = rng.choice([sites[0].id, sites[1].id, None])
        case 7:
            learner = rng.choice(learners)
            about = rng.choice([None, *(each for each in aims if each.learner_id == learner.id)])
            await factory.time_log_entry(
                learner, admin, rng.randrange(1, 300), about, job_setting=rng.choice(list(JobSetting)), date=today
            )
        case 8:
            entries = list(await session.scalars(select(TimeLogEntry).order_by(TimeLogEntry.id)))
            if entries:
                entry = rng.choice(entries)
                if rng.random() < 0.5:
                    await session.delete(entry)
                else:
                    entry.minutes = rng.randrange(1, 300)


async def note(journal: Journal) -> None:
    """Counts the numbers of now, as they will be history."""
    loaders = Loaders(journal.reading())
    kpis = await loaders[KpisLoader].load(READ)
    day = journal.today
    journal.kpis[Role.MASTER_ADMIN, day] = {
        **{name: getattr(kpis, name) for name in NAMES},
        **{name: kpis.values[name] for name in ("criteria_total", "criteria_mapped", "criteria_signed_off", "actual")},
    }
    for by in KpiGroupBy:
        found = await kpi_groups(journal.reading(), by, KEPT, {})
        journal.groups[by, day] = {group.group_key: dict(group.kpis.values) for group in found}


async def test_the_statements_of_a_period_run_at_once(journal: Journal):
    read, together = journal.reading(), []
    rows, running = read.database.rows, 0

    async def counted(*arguments: Any) -> Any:
        nonlocal running
        running += 1
        together.append(running)
        try:
            return await rows(*arguments)
        finally:
            running -= 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read.database, "rows", counted)
        await kpi_history(read, FIRST, journal.today, Interval.DAY, {})
    assert max(together) == 3


async def test_every_day_is_as_it_was(journal: Journal):
    points = await kpi_history(journal.reading(), FIRST, journal.today, Interval.DAY, {})
    assert [point.day for point in points] == [FIRST + number * DAY for number in range(DAYS)]
    minutes = 0
    for point in points:
        expected = journal.kpis[Role.MASTER_ADMIN, point.day]
        minutes += point.off_the_job_minutes
        names = (*NAMES, "criteria_total", "criteria_mapped", "criteria_signed_off")
        assert {name: getattr(point, name) for name in names} == {name: expected[name] for name in names}, point.day
        assert minutes == expected["actual"], point.day
    assert all(sum(getattr(point, name) for point in points) for name in NAMES)


@pytest.mark.parametrize("every", (Interval.WEEK, Interval.MONTH))
async def test_weeks_and_months_are_days_and_their_sums(journal: Journal, every: Interval):
    first = FIRST + 9 * DAY
    days = {point.day: point for point in await kpi_history(journal.reading(), FIRST, journal.today, Interval.DAY, {})}
    points = await kpi_history(journal.reading(), first, journal.today, every, {})
    begins = first
    for point in points:
        assert point.day.isoweekday() == 7 or (point.day + DAY).day == 1 or point.day == journal.today
        for name in (*NAMES, "criteria_mapped"):
            assert getattr(point, name) == getattr(days[point.day], name)
        interval = [days[begins + number * DAY] for number in range((point.day - begins).days + 1)]
        assert point.off_the_job_minutes == sum(each.off_the_job_minutes for each in interval)
        assert point.completed_count <= sum(each.completed_count for each in interval)
        begins = point.day + DAY
    assert begins == journal.today + DAY
    assert sum(point.completed_count for point in points) > 0 < sum(point.withdrawn_count for point in points)
    short = await kpi_history(journal.reading(), first, first, every, {})
    assert [point.day for point in short] == [first]
    assert short[0].criteria_mapped == days[first].criteria_mapped


async def test_aims_start_once_and_on_the_day_on_which_that_is_known(journal: Journal):
    points = await kpi_history(journal.reading(), FIRST, journal.today, Interval.DAY, {})
    for point in points:
        # An aim that was withdrawn by the end of its first day counts nowhere.
        assert point.started_count <= journal.started[point.day]
    begun = sum(number for day, number in journal.started.items() if day <= journal.today)
    assert 0 <= begun - sum(point.started_count for point in points) <= 2 < begun


async def test_groups_of_twenty_random_days_are_as_they_were(journal: Journal):
    for day in Random(3).sample([FIRST + number * DAY for number in range(DAYS - 1)], 20):
        for by in KpiGroupBy:
            found = {
                group.group_key: dict(group.kpis.values)
                for group in await kpi_groups_on(journal.reading(), by, day, {})
            }
            # Learners without any aim count at their employer of now.
            expected = journal.groups[by, day]
            if by is not KpiGroupBy.EMPLOYER:
                assert found.keys() == expected.keys(), (day, by)
            for key, values in expected.items():
                if not values["aims"] and by is KpiGroupBy.EMPLOYER:
                    continue
                without = ("learners", "ended_learners") if by is KpiGroupBy.EMPLOYER else ()
                assert {n: v for n, v in found[key].items() if n not in without} == {
                    n: v for n, v in values.items() if n not in without
                }, (day, by)


async def test_a_slice_of_the_past_is_the_group_of_that_day(journal: Journal):
    for by, name, prefix in (
        (KpiGroupBy.ASSESSOR, "assessor_id", "User"),
        (KpiGroupBy.EMPLOYER, "employer_id", "Employer"),
    ):
        keys = {key for day in journal.groups for key in journal.groups[day] if day[0] is by and key}
        for key in keys:
            points = await kpi_history(journal.reading(), FIRST, journal.today, Interval.DAY, {name: f"{prefix}_{key}"})
            for point in points:
                group = journal.groups[by, point.day].get(key, Counter())
                for column, number in (
                    ("aims", point.aim_count), ("ahead", point.ahead_count), ("off_track", point.off_track_count),
                    ("criteria_mapped", point.criteria_mapped), ("past_planned_end", point.past_planned_end_count),
                ):  # fmt: skip
                    assert group[column] == number, (by, point.day, column)
                if by is KpiGroupBy.ASSESSOR:
                    assert group["learners"] == point.learner_count, (by, point.day)


async def test_the_past_stays_when_rows_are_closed_and_the_check_finds_what_is_wrong(journal: Journal):
    before = await kpi_history(journal.reading(), FIRST, journal.today, Interval.DAY, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: journal.now)
        assert await complete(journal.database) == 0
        assert await kpi_history(journal.reading(), FIRST, journal.today, Interval.DAY, {}) == before
        async with journal.database.snapshot() as session:
            assert [each async for each in problems_in(session, check_history)] == []
        async with journal.database.writing() as session:
            aims = list(await session.scalars(select(Aim.id).order_by(Aim.id).limit(2)))
            last = select(AimHistory).where(AimHistory.aim_id == aims[0]).order_by(AimHistory.day.desc())
            (await session.scalars(last.limit(1))).one().criteria_total += 1
            await session.execute(delete(AimHistory).where(AimHistory.aim_id == aims[1]))
        async with journal.database.snapshot() as session:
            problems = [each async for each in problems_in(session, check_history)]
        assert [problem.split(":")[0] for problem in problems] == [f"aim {aims[1]}", f"aim {aims[0]}"]
        # One is rebuilt and then, as its changes have no dated record here, corrected like the other.
        assert await complete(journal.database) == 3
        async with journal.database.snapshot() as session:
            assert [each async for each in problems_in(session, check_history)] == []
            assert await session.scalar(select(TimeHistory.day).limit(1))
