"""History that no process wrote is rebuilt from dated records, around the rows that a process has written since."""

import datetime as dt

import pytest
from sqlalchemy import create_engine, delete, select
from sqlalchemy.dialects import sqlite

from db.database import Database
from db.history.complete import _time_drifted, complete
from db.history.daily_rows import CURRENT
from db.models.aim import Aim, AimProgress
from db.models.aim_history import AimHistory, TimeHistory
from db.models.aim_status_change import AimStatusChange
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceMapping
from db.models.learner import Learner
from db.models.qualification import QualificationCriterion
from db.models.registry import metadata
from domain import clock
from domain.day_number import day_number
from domain.enums import AimStatus, Interval, JobSetting, Role
from loaders.kpi_history import KpiPointRow, kpi_history
from services.audit.batches import problems_in
from services.audit.history_check import check_history
from tests.support.factories import DAY, Factory
from tests.support.unchecked_references import unchecked_references
from tests.support.viewers import reading, viewer

TODAY = dt.date(2026, 6, 10)
NOW = clock.london_time(TODAY, 15)


def on(days_ago: int) -> dt.datetime:
    return clock.london_time(TODAY - days_ago * DAY, 12)


@pytest.mark.parametrize("changed", (None, 0, 1), ids=["untouched", "changed today", "changed yesterday"])
async def test_the_past_is_rebuilt_from_dated_records(
    database: Database, monkeypatch: pytest.MonkeyPatch, changed: int | None
):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    async with database.writing() as session:
        factory = Factory(session, NOW)
        provider = await factory.provider()
        admin = await factory.user(provider, "Admin", Role.MASTER_ADMIN)
        standard = await factory.qualification(provider, "Standard", (4,))
        learner = await factory.learner(provider, "Ada", created_at=on(100))
        aim = await factory.aim(
            learner, standard, criteria=4, mapped=3, signed_off=1, created_at=on(100),
            start_date=TODAY - 80 * DAY, planned_end_date=TODAY + 20 * DAY,
            breaks=[(TODAY - 30 * DAY, TODAY - 20 * DAY)],
        )  # fmt: skip
        keys = {"provider_id": provider.id, "learner_id": learner.id, "aim_id": aim.id}
        for days_ago, status in (
            (100, "AWAITING_INDUCTION"),
            (80, "IN_TRAINING"),
            (30, "SUSPENDED"),
            (20, "IN_TRAINING"),
        ):
            when = {"changed_at": on(days_ago), "from_date": TODAY - days_ago * DAY, "changed_by_id": admin.id}
            await factory.add(AimStatusChange(**keys, status=AimStatus[status], **when))
        unit, criteria = await units_of(session, standard.id)
        evidence = await factory.evidence(aim, admin)
        for number, days_ago in enumerate((60, 40, 10)):
            of = {**keys, "unit_id": unit, "criterion_id": criteria[number]}
            mapped = {"mapped_by_id": admin.id, "mapped_at": on(days_ago)}
            await factory.add(EvidenceMapping(**of, evidence_id=evidence.id, **mapped))
            signed = {"signed_off": True, "signed_off_at": on(5)} if number == 0 else {}
            await factory.add(CriterionProgress(**of, evidence_count=1, **signed))
        for days_ago, minutes in ((70, 60), (70, 30), (2, 15)):
            about = {"job_setting": JobSetting.OFF_THE_JOB, "date": TODAY - days_ago * DAY, "added_at": on(days_ago)}
            await factory.time_log_entry(learner, admin, minutes, aim, **about)
    async with database.writing() as session:
        for table in (AimHistory, TimeHistory):
            await session.execute(delete(table))
    if changed is not None:
        # Before anything is rebuilt.
        monkeypatch.setattr(clock, "now", lambda: on(changed))
        async with database.writing() as session:
            (await session.get_one(AimProgress, aim.id)).criteria_signed_off = 2
            factory = Factory(session, on(changed))
            await factory.time_log_entry(learner, admin, 7, aim, job_setting=JobSetting.OFF_THE_JOB, date=TODAY)
        monkeypatch.setattr(clock, "now", lambda: NOW)
    lines: list[str] = []
    written = await complete(database, lines.append)
    assert written > 0
    assert lines[0] == "History of aims and time: fills" and f": {written:,} aims and learners in " in lines[1]
    assert await complete(database, lines.append) == 0
    assert len(lines) == 2

    who = viewer(admin, Role.MASTER_ADMIN)
    points = await kpi_history(reading(database, who, NOW), TODAY - 110 * DAY, TODAY, Interval.DAY, {})
    found = {(TODAY - point.day).days: point for point in points}
    assert (found[101].learner_count, found[100].learner_count, found[100].aim_count) == (0, 1, 1)
    assert [found[days].criteria_mapped for days in (61, 60, 41, 40, 11, 10, 0)] == [0, 1, 1, 2, 2, 3, 3]
    assert [found[days].criteria_signed_off for days in (6, 5, 0)] == [0, 1, 1 if changed is None else 2]
    lights = {days: light_of(found[days]) for days in (90, 79, 50, 25, 0)}
    assert lights == {90: "not_rated", 79: "on_track", 50: "on_track", 25: "not_rated", 0: "on_track"}
    assert {days: found[days].off_the_job_minutes for days in found if found[days].off_the_job_minutes} == {
        70: 90, 2: 15, **({} if changed is None else {changed: 7}),
    }  # fmt: skip
    assert [days for days in found if found[days].started_count] == [80]
    async with database.snapshot() as session:
        assert [each async for each in problems_in(session, check_history)] == []
        first = await session.scalar(select(AimHistory.day).order_by(AimHistory.day).limit(1))
    assert first == day_number(TODAY - 100 * DAY)


async def test_an_entry_of_another_provider_counts_for_nobody(database: Database):
    async with unchecked_references(database) as session:
        factory = Factory(session)
        provider, far = await factory.provider(), await factory.provider("Far")
        admin = await factory.user(provider, "Admin", Role.MASTER_ADMIN)
        learner = await factory.learner(provider, "Ada")
        await factory.time_log_entry(learner, admin, 30)
        (await factory.time_log_entry(learner, admin, 500)).provider_id = far.id
    assert await complete(database) == 0
    assert await _time_rows(database) == [(provider.id, 30)]
    async with database.writing() as session:
        await session.execute(delete(TimeHistory))
    assert await complete(database) == 1
    assert await complete(database) == 0
    assert await _time_rows(database) == [(provider.id, 30)]


def test_the_time_of_a_learner_is_found_by_the_learner():
    """By the provider, SQLite reads all its entries for each of its learners: hours for 10,000 of them."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    statement = str(_time_drifted().compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    assert any("time_log_entry" in step for step in plan)
    assert [step for step in plan if "provider_id=" in step] == []


async def _time_rows(database: Database) -> list[tuple[int, int]]:
    found = await database.rows(select(TimeHistory.provider_id, TimeHistory.minutes), primary=True)
    return [(row.provider_id, row.minutes) for row in found]


def light_of(point: KpiPointRow) -> str:
    names = ("off_track", "on_track", "ahead", "not_rated")
    (light,) = [name for name in names if getattr(point, f"{name}_count")]
    return light


async def units_of(session, qualification_key: int) -> tuple[int, list[int]]:
    of_qualification = QualificationCriterion.qualification_id == qualification_key
    criteria = list(await session.scalars(select(QualificationCriterion).where(of_qualification)))
    return criteria[0].unit_id, [each.id for each in criteria]


def test_every_column_that_an_aim_has_too_is_recorded_and_compared() -> None:
    of_aims = {column.name for entity in (Aim, AimProgress, Learner) for column in entity.__table__.columns}
    keys = {"aim_id", "learner_id", "provider_id"}
    assert CURRENT.keys() == {column.name for column in AimHistory.__table__.columns} & of_aims - keys
