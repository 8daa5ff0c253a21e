"""KPIs: each number counted again in plain Python over rows in all states, for every role, on both databases."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from auth.viewer import Viewer
from db.database import Database, statement_count
from db.models.action import Action
from db.models.base import Base
from db.models.evidence import Evidence
from db.models.session import Session as Visit
from db.models.session import SessionAim
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.time_log_entry import TimeLogEntry
from domain import clock, off_the_job, progress
from domain.breaks import AimSpan, BreakPeriod, days_within
from domain.enums import (
    ActionStatus,
    AimStatus,
    EvidenceStatus,
    JobSetting,
    Role,
    SessionStatus,
    TrafficLight,
)
from domain.progress import ENDED
from loaders.aggregates import GroupBy, Metric, _statement
from loaders.core.registry import Loaders
from loaders.kpis import ALL_METRICS, KpisLoader, KpisOfEmployerLoader, KpisRow
from loaders.off_the_job import OffTheJobLoader
from tests.loaders.kpi_world import NOW, fill_world
from tests.support.databases import Databases
from tests.support.factories import DAY
from tests.support.viewers import reading, viewer

RULES = {"traffic_light_tolerance": 10.0, "rated_from_percent": 5.0}


@dataclass
class Everything:
    """The whole factory, in memory."""

    database: Database
    rows: dict[str, list]


@pytest.fixture(scope="module")
async def everything(databases: Databases, backend: str) -> AsyncIterator[Everything]:
    url = await databases.fresh(backend, fill_world)
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

    def fell_due_on_break(action: Action) -> bool:
        open_aims = [aim for aim in visible_aims if aim.learner_id == action.learner_id and aim.status not in ENDED]
        if action.aim_id is not None:
            open_aims = [aim for aim in all_aims if aim.id == action.aim_id]
        since = [period.start for aim in open_aims for period in periods[aim.id] if period.returned is None]
        return bool(since) and len(since) == len(open_aims) and max(since) <= action.target_date

    def records(table: type) -> list:
        return [
            record
            for record in rows[table.__name__]
            if record.learner_id in seen and (record.aim_id in aim_keys or (record.aim_id is None or not by_aim))
        ]

    def counts(entry: TimeLogEntry) -> bool:
        aims = [aim for aim in all_aims if aim.id == entry.aim_id]
        if entry.aim_id is None:
            aims = [aim for aim in all_aims if aim.learner_id == entry.learner_id]
        spans = [AimSpan(aim.start_date, aim.actual_end_date, periods[aim.id]) for aim in aims]
        logged = [
            off_the_job.LoggedAim(span, aim.status is AimStatus.WITHDRAWN)
            for span, aim in zip(spans, aims, strict=True)
        ]
        return off_the_job.exclusion(entry.date, logged) is None

    def counted(table: type) -> list:
        return [record for record in records(table) if record.aim_id not in left]

    def session_counts(session: Visit) -> bool:
        about = aims_of_session[session.id]
        return session_is_seen(session) and (not about or bool(about - left))

    def session_is_seen(session: Visit) -> bool:
        about = aims_of_session[session.id]
        return session.learner_id in seen and (not by_aim or not about or bool(about & aim_keys))

    aims_of_session: dict[int, set[int]] = defaultdict(set)
    for link in rows[SessionAim.__name__]:
        aims_of_session[link.session_id].add(link.aim_id)
    sums = {progress_row.aim_id: progress_row for progress_row in rows["AimProgress"]}
    hours = {qualification.id: qualification.off_the_job_hours_minimum or 0 for qualification in rows["Qualification"]}
    aims = [aim for aim in visible_aims if aim.status is not AimStatus.WITHDRAWN]
    periods = {aim.id: [] for aim in all_aims}
    for each in rows["AimBreak"]:
        if each.aim_id in periods:
            periods[each.aim_id].append(BreakPeriod(each.start_date, each.returned_on))
    away = {aim.id: days_within(periods[aim.id], aim.start_date, min(today, aim.planned_end_date)) for aim in all_aims}
    durations = [progress.duration_tenths(aim.start_date, aim.planned_end_date, today, away[aim.id]) for aim in aims]
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
    left = {aim.id for aim in all_aims if aim.status is AimStatus.WITHDRAWN}
    never_late = (AimStatus.COMPLETED, AimStatus.SUSPENDED)
    late = [aim for aim in aims if today > aim.planned_end_date and aim.status not in never_late]
    statuses = {key: {aim.status for aim in visible_aims if aim.learner_id == key} for key in seen}
    in_learning = {key for key, theirs in statuses.items() if not theirs or theirs - set(ENDED)}
    off_the_job_entries = [entry for entry in records(TimeLogEntry) if entry.job_setting is JobSetting.OFF_THE_JOB]
    actions = [action for action in counted(Action) if action.status is not ActionStatus.COMPLETE]
    pending = {request.id for request in rows[SignatureRequest.__name__] if request.status.name == "PENDING"}
    minutes = [
        (60 * hours[aim.qualification_id], aim.start_date, aim.planned_end_date, today, away[aim.id]) for aim in aims
    ]
    columns = ("criteria_total", "criteria_mapped", "criteria_signed_off")
    total = [sum(getattr(sums[aim.id], column) for aim in aims) for column in columns]
    return SimpleNamespace(
        generated_at=NOW,
        learner_count=len(in_learning),
        ended_learner_count=sum(AimStatus.COMPLETED in statuses[key] for key in seen - in_learning),
        aim_count=len(aims),
        off_track_count=lights.count(TrafficLight.OFF_TRACK),
        on_track_count=lights.count(TrafficLight.ON_TRACK),
        ahead_count=lights.count(TrafficLight.AHEAD),
        not_rated_count=lights.count(TrafficLight.NOT_RATED),
        past_planned_end_count=len(late),
        progress=(
            *total,
            progress.tenths(sum(durations), 1000 * len(durations)),
            bool(late),
            sum(away[aim.id] for aim in aims),
        ),
        awaiting_signature_count=sum(
            slot.learner_id in seen and slot.role is role and slot.signed_at is None and slot.request_id in pending
            for slot in rows[SignatureSlot.__name__]
        ),
        outstanding_action_count=len(actions),
        overdue_action_count=sum(action.target_date < today and not fell_due_on_break(action) for action in actions),
        awaiting_assessment_count=sum(
            evidence.status in (EvidenceStatus.SUBMITTED, EvidenceStatus.RESUBMITTED) for evidence in counted(Evidence)
        ),
        sessions_next7_days=sum(
            session.status is SessionStatus.PLANNED and NOW <= session.starts_at < NOW + 7 * DAY
            for session in rows["Session"]
            if session_counts(session)
        ),
        off_the_job=(
            sum(required for required, *_ in minutes),
            sum(off_the_job.expected_minutes(*planned) for planned in minutes),
            sum(entry.minutes for entry in off_the_job_entries if counts(entry)),
            sum(entry.minutes for entry in off_the_job_entries),
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
        bars.days_on_break,
    )
    shown["off_the_job"] = (time.required_minutes, time.expected_minutes, time.actual_minutes, time.logged_minutes)
    return SimpleNamespace(generated_at=kpis.generated_at, **shown)


SHORT = (Role.LEARNER, Role.IQA, Role.EMPLOYER_MANAGER)


@pytest.mark.parametrize("role", [pytest.param(role, marks=() if role in SHORT else pytest.mark.long) for role in Role])
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
    assert set(one.values) == {"learners", "ended_learners", "outstanding", "overdue", "awaiting_signature"}
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
        sum(getattr(row, name) for row in each)
        for name in ("required_minutes", "expected_minutes", "actual_minutes", "logged_minutes")
    )
    assert together == counted_again(everything, who).off_the_job
    assert all(row.actual_percent == progress.percent(row.actual_minutes, row.required_minutes) for row in each)


@pytest.mark.parametrize("group_by", [GroupBy.VIEWER, GroupBy.EMPLOYER])
def test_the_days_of_an_aim_are_computed_once(group_by: GroupBy):
    """What lights, durations and breaks follow from is in the statement once, however many numbers need it."""
    sql = str(_statement(Role.EMPLOYER_OVERVIEW, group_by, frozenset({Metric.AIMS})).build())
    assert sql.count("aim_progress.days_on_break") == 1
    assert sql.count("tolerance") == 3
