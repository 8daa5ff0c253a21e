"""KPIs: each number counted again in plain Python over rows in all states, for every role, on both databases."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from auth.viewer import Viewer
from db.database import Database, statement_count
from db.migrate import migrate
from db.models.action import Action
from db.models.base import Base
from db.models.evidence import Evidence
from db.models.session import Session as Visit
from db.models.session import SessionAim
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.time_log_entry import TimeLogEntry
from domain import clock, off_the_job, progress
from domain.enums import (
    ActionStatus,
    AimStatus,
    EvidenceStatus,
    JobSetting,
    Role,
    SessionStatus,
    SignatureRequestStatus,
    TrafficLight,
)
from loaders.aggregates import Metric
from loaders.core.registry import Loaders
from loaders.kpis import ALL_METRICS, KpisLoader, KpisOfEmployerLoader, KpisRow
from loaders.off_the_job import OffTheJobLoader
from tests.support.databases import Databases
from tests.support.factories import DAY, Factory
from tests.support.viewers import reading, viewer

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
RULES = {"traffic_light_tolerance": 10.0, "rated_from_percent": 5.0}


async def _fill(database: Database) -> None:
    """Two equal providers, so that a leak changes a count: a head office, two sites, learners in all states."""
    await migrate(database)
    rng = Random(7)
    async with database.writing() as session:
        factory = Factory(session, NOW)
        for name in ("First", "Second"):
            provider = await factory.provider(name)
            head = await factory.employer(provider, "Head office")
            sites = [head, *[await factory.employer(provider, f"Site {n}", head) for n in range(2)]]
            people = {role: await factory.user(provider, role.value, role) for role in Role if role is not Role.LEARNER}
            other = await factory.user(provider, "Another", Role.ASSESSOR, Role.IQA)
            standards = [
                await factory.qualification(provider, f"Standard {hours}", off_the_job_hours_minimum=hours)
                for hours in (278, 33, None)
            ]
            for number in range(12):
                learner = await factory.learner(provider, f"Learner {number}", rng.choice([*sites, None]))
                if number % 3 == 0:
                    await factory.allocate(people[Role.EMPLOYER_MANAGER], learner)
                aims = [await _aim(factory, rng, learner, rng.choice(standards), people, other) for _ in range(3)]
                for _ in range(6):
                    await _records(factory, rng, learner, rng.choice([*aims, None]), people[Role.ASSESSOR])
            await factory.oversee(people[Role.EMPLOYER_OVERVIEW], *sites[1:])


async def _aim(factory, rng, learner, standard, people, other):
    start = factory.today - rng.randrange(-20, 400) * DAY
    return await factory.aim(
        learner,
        standard,
        assessor=rng.choice([people[Role.ASSESSOR], other, None]),
        iqa=rng.choice([people[Role.IQA], other, None]),
        criteria=rng.choice([7, 10, 40]),
        mapped=rng.randrange(0, 8),
        signed_off=rng.randrange(0, 2),
        status=rng.choice([AimStatus.IN_TRAINING] * 4 + list(AimStatus)),
        start_date=start,
        planned_end_date=start + rng.randrange(0, 500) * DAY,
    )


async def _records(factory, rng, learner, aim, by):
    status = rng.choice(list(ActionStatus))
    await factory.action(learner, by, aim, status=status, target_date=factory.today + rng.choice([-1, 0, 1]) * DAY)
    setting = rng.choice(list(JobSetting))
    await factory.time_log_entry(learner, by, rng.randrange(1, 900), aim, job_setting=setting)
    if aim:
        await factory.evidence(aim, by, rng.choice(list(EvidenceStatus)))
    # On the moment, on the last one that counts, and just beyond either.
    edges = [dt.timedelta(0), 3 * DAY, 7 * DAY - dt.timedelta(microseconds=1), 7 * DAY, -dt.timedelta(microseconds=1)]
    starts, about = NOW + rng.choice(edges), [aim] if aim else []
    await factory.session_of(learner, by, starts, *about, status=rng.choice([SessionStatus.PLANNED, *SessionStatus]))
    roles = rng.sample(list(Role), 3)
    state = rng.choice([SignatureRequestStatus.PENDING, *SignatureRequestStatus])
    await factory.signature_request(learner, by, tuple(roles[:2]), {roles[2]: by}, status=state)


@dataclass
class Everything:
    """The whole factory, in memory."""

    database: Database
    rows: dict[str, list]


@pytest.fixture(scope="module")
async def everything(databases: Databases, backend: str) -> AsyncIterator[Everything]:
    url = await databases.fresh(backend, _fill)
    database = Database(url)
    async with database.writing() as session:
        rows = {
            mapper.class_.__name__: list((await session.execute(select(mapper.class_))).scalars())
            for mapper in Base.registry.mappers
        }
    yield Everything(database, rows)
    await database.close()
    await databases.release(url)


def somebody(everything: Everything, role: Role) -> Viewer:
    """Who holds the role at the first provider."""
    grant = next(grant for grant in everything.rows["RoleGrant"] if grant.role is role)
    user = next(user for user in everything.rows["User"] if user.id == grant.user_id)
    learner = next((learner for learner in everything.rows["Learner"] if learner.user_id == user.id), None)
    return viewer(user, role, learner, **RULES)


def counted_again(everything: Everything, who: Viewer, employer_key: int | None = None) -> SimpleNamespace:
    """The numbers, by the words of the descriptions and nothing of the product's SQL."""
    rows, me, role = everything.rows, who.user_key, who.role
    ours = {learner.id: learner for learner in rows["Learner"] if learner.provider_id == who.provider_key}
    all_aims = [aim for aim in rows["Aim"] if aim.learner_id in ours]
    by_aim = {Role.ASSESSOR: "assessor_id", Role.IQA: "iqa_id"}.get(role)
    match role:
        case Role.LEARNER:
            seen = {key for key, learner in ours.items() if learner.user_id == me}
        case Role.EMPLOYER_MANAGER:
            seen = {allocation.learner_id for allocation in rows["ManagerAllocation"] if allocation.user_id == me}
        case Role.EMPLOYER_OVERVIEW:
            sites = {allocation.employer_id for allocation in rows["OverviewAllocation"] if allocation.user_id == me}
            seen = {key for key, learner in ours.items() if learner.employer_id in sites}
        case Role.ASSESSOR | Role.IQA:
            seen = {aim.learner_id for aim in all_aims if getattr(aim, by_aim) == me}
        case _:
            seen = set(ours)
    if employer_key is not None:
        seen = {key for key in seen if ours[key].employer_id == employer_key}
    visible_aims = [aim for aim in all_aims if aim.learner_id in seen and (not by_aim or getattr(aim, by_aim) == me)]
    aim_keys, today = {aim.id for aim in visible_aims}, clock.day_of(NOW)

    def records(table: type) -> list:
        return [
            record
            for record in rows[table.__name__]
            if record.learner_id in seen and (record.aim_id in aim_keys or (record.aim_id is None or not by_aim))
        ]

    def session_is_seen(session: Visit) -> bool:
        about = {link.aim_id for link in rows[SessionAim.__name__] if link.session_id == session.id}
        return session.learner_id in seen and (not by_aim or not about or bool(about & aim_keys))

    sums = {progress_row.aim_id: progress_row for progress_row in rows["AimProgress"]}
    hours = {qualification.id: qualification.off_the_job_hours_minimum or 0 for qualification in rows["Qualification"]}
    aims = [aim for aim in visible_aims if aim.status is not AimStatus.WITHDRAWN]
    durations = [progress.duration_tenths(aim.start_date, aim.planned_end_date, today) for aim in aims]
    lights = [
        progress.traffic_light(
            in_training=aim.status is AimStatus.IN_TRAINING,
            criteria_total=sums[aim.id].criteria_total,
            mapped=progress.tenths(sums[aim.id].criteria_mapped, sums[aim.id].criteria_total),
            duration=duration,
            tolerance=10.0,
            rated_from=5.0,
        )
        for aim, duration in zip(aims, durations, strict=True)
    ]
    late = [aim for aim in aims if today > aim.planned_end_date and aim.status is not AimStatus.COMPLETED]
    actions = [action for action in records(Action) if action.status is not ActionStatus.COMPLETE]
    pending = {request.id for request in rows[SignatureRequest.__name__] if request.status.name == "PENDING"}
    minutes = [(60 * hours[aim.qualification_id], aim.start_date, aim.planned_end_date) for aim in aims]
    columns = ("criteria_total", "criteria_mapped", "criteria_signed_off")
    total = [sum(getattr(sums[aim.id], column) for aim in aims) for column in columns]
    return SimpleNamespace(
        generated_at=NOW,
        learner_count=len(seen),
        aim_count=len(aims),
        off_track_count=lights.count(TrafficLight.OFF_TRACK),
        on_track_count=lights.count(TrafficLight.ON_TRACK),
        ahead_count=lights.count(TrafficLight.AHEAD),
        not_rated_count=lights.count(TrafficLight.NOT_RATED),
        past_planned_end_count=len(late),
        progress=(*total, int(sum(durations) / len(durations) + 0.5) if durations else 0, bool(late)),
        awaiting_signature_count=sum(
            slot.learner_id in seen and slot.role is role and slot.signed_at is None and slot.request_id in pending
            for slot in rows[SignatureSlot.__name__]
        ),
        outstanding_action_count=len(actions),
        overdue_action_count=sum(action.target_date < today for action in actions),
        awaiting_assessment_count=sum(
            evidence.status in (EvidenceStatus.SUBMITTED, EvidenceStatus.RESUBMITTED) for evidence in records(Evidence)
        ),
        sessions_next7_days=sum(
            session.status is SessionStatus.PLANNED and NOW <= session.starts_at < NOW + 7 * DAY
            for session in rows["Session"]
            if session_is_seen(session)
        ),
        off_the_job=(
            sum(required for required, _, _ in minutes),
            sum(off_the_job.expected_minutes(*planned, today) for planned in minutes),
            sum(entry.minutes for entry in records(TimeLogEntry) if entry.job_setting is JobSetting.OFF_THE_JOB),
        ),
    )


def as_shown(kpis: KpisRow) -> SimpleNamespace:
    """What the graph would show of them."""
    names = [name for name, value in vars(KpisRow).items() if isinstance(value, property)]
    shown = {name: getattr(kpis, name) for name in names}
    bars, time = shown["progress"], shown["off_the_job"]
    shown["progress"] = (
        bars.criteria_total,
        bars.criteria_mapped,
        bars.criteria_signed_off,
        bars.duration_tenths,
        bars.past_planned_end,
    )
    shown["off_the_job"] = (time.required_minutes, time.expected_minutes, time.actual_minutes)
    return SimpleNamespace(generated_at=kpis.generated_at, **shown)


@pytest.mark.parametrize("role", Role)
async def test_the_viewers_numbers(everything: Everything, role: Role):
    who = somebody(everything, role)
    kpis = await Loaders(reading(everything.database, who, NOW))[KpisLoader].load(ALL_METRICS)
    again = counted_again(everything, who)
    assert as_shown(kpis) == again
    assert again.learner_count > 0
    lights = again.off_track_count + again.on_track_count + again.ahead_count + again.not_rated_count
    assert lights == again.aim_count > 0


def test_the_world_holds_something_of_everything(everything: Everything):
    shown = counted_again(everything, somebody(everything, Role.MASTER_ADMIN))
    assert all(vars(shown).values()), shown


@pytest.mark.parametrize("role", Role)
async def test_each_employers_numbers_in_one_statement(everything: Everything, role: Role):
    who = somebody(everything, role)
    employers = [employer.id for employer in everything.rows["Employer"]]
    loader = Loaders(reading(everything.database, who, NOW))[KpisOfEmployerLoader]
    statement_count.set(count := [0])
    found = await asyncio.gather(*(loader.load((key, ALL_METRICS)) for key in employers))
    assert count == [1]
    assert [as_shown(kpis) for kpis in found] == [counted_again(everything, who, key) for key in employers]


async def test_fields_asked_for_apart_are_read_together_and_nothing_else_is(everything: Everything):
    loader = Loaders(reading(everything.database, somebody(everything, Role.MASTER_ADMIN), NOW))[KpisLoader]
    statement_count.set(count := [0])
    one, two = await asyncio.gather(
        loader.load(frozenset({Metric.SIGNATURES})), loader.load(frozenset({Metric.LEARNERS, Metric.ACTIONS}))
    )
    assert count == [1]
    assert one.values == two.values
    assert set(one.values) == {"learners", "outstanding", "overdue", "awaiting_signature"}
    with pytest.raises(KeyError):
        _ = one.aim_count


@pytest.mark.parametrize("role", Role)
async def test_off_the_job_adds_up_over_the_learners(everything: Everything, role: Role):
    who = somebody(everything, role)
    at = reading(everything.database, who, NOW)
    loader, learners = Loaders(at)[OffTheJobLoader], [learner.id for learner in everything.rows["Learner"]]
    statement_count.set(count := [0])
    each = await asyncio.gather(*(loader.load(key) for key in learners))
    assert count == [1]
    together = tuple(
        sum(getattr(row, name) for row in each) for name in ("required_minutes", "expected_minutes", "actual_minutes")
    )
    assert together == counted_again(everything, who).off_the_job
    assert all(row.actual_percent == progress.percent(row.actual_minutes, row.required_minutes) for row in each)
