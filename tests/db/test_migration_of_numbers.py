"""An installation of 0.1.0 is taken along: history, breaks, chosen units, required hours and exclusions."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, MetaData, insert, select

from db.database import Database
from db.migrate import expand, migrate
from db.models.aim import AimProgress
from db.models.aim_break import AimBreak
from db.models.aim_status_change import AimStatusChange
from db.models.aim_unit import AimUnit
from db.models.evidence import Evidence
from db.models.time_log_entry import TimeLogEntry
from db.table_version import Migrations
from domain.enums import AimStatus
from domain.text import fold_words
from services.audit.progress_check import progress_mismatches
from tests.support.databases import Databases

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def _fill(connection: Connection) -> None:
    """Adds a learner with a diploma that is suspended, and English."""
    metadata = MetaData()
    metadata.reflect(connection)

    def add(table: str, **values: Any) -> None:
        columns = metadata.tables[table].columns
        if "version" in columns and table not in ("qualification",):
            values.setdefault("version", 1)
        at = AT.replace(tzinfo=None) if connection.dialect.name == "sqlite" else AT
        values = {name: at if value is AT else value for name, value in values.items()}
        connection.execute(insert(metadata.tables[table]), values)

    p: dict[str, Any] = {"provider_id": 1}
    add(
        "provider", id=1, name="Here", created_at=AT, traffic_light_tolerance=10.0, rated_from_percent=0.0,
        review_interval_weeks=12, unit_signatures=["ASSESSOR"], disclaimer_version=1, settings_version=1,
        audit_sequence=0, audit_hash="0" * 64,
    )  # fmt: skip
    for key, name in ((1, "Ann"), (2, "Ada")):
        add(
            "user_account", id=key, **p, username=name.lower(), name=name, sort_name=name.lower(), email=f"{name}@x.y",
            password_hash="x",
            must_change_password=False, disclaimer_accepted=1, created_at=AT,
        )  # fmt: skip
    add("learner", id=1, **p, user_id=2, last_session_number=1, created_at=AT)
    for key, kind, hours in ((1, "diploma", 100), (2, "functional_skills", 50)):
        add(
            "qualification", id=key, **p, title=kind, sort_title=kind, kind=kind, off_the_job_hours_minimum=hours,
            unit_count=3, criterion_count=3, content_sha256=str(key) * 64, imported_at=AT,
        )  # fmt: skip
        for unit in (1, 2, 3):
            place = 10 * key + unit
            add(
                "qualification_unit", id=place, **p, qualification_id=key, number=str(unit), title=f"Unit {unit}",
                mandatory=unit == 1, position=unit, criterion_count=1,
            )  # fmt: skip
            add(
                "qualification_criterion", id=place, **p, qualification_id=key, unit_id=place, code="1.1",
                description="Does it", position=1,
            )  # fmt: skip
    own = {**p, "learner_id": 1}
    for key, status in ((1, "SUSPENDED"), (2, "IN_TRAINING")):
        add(
            "aim", id=key, **own, qualification_id=key, status=status, assessor_id=1, start_date=dt.date(2026, 3, 2),
            planned_end_date=dt.date(2027, 3, 1), created_at=AT,
        )  # fmt: skip
        add("aim_progress", aim_id=key, **own, criteria_total=3, criteria_mapped=1 if key == 1 else 0,
            criteria_signed_off=0)  # fmt: skip
    add("criterion_progress", aim_id=1, criterion_id=12, unit_id=12, **own, evidence_count=1, signed_off=False)
    suspended = {"fields": ["status"], "status": "SUSPENDED"}
    for key, action, detail, days in (
        (1, "aimAdd", {}, 0), (2, "sessionComplete", {"begun": [1]}, 2), (3, "aimUpdate", suspended, 60),
        (4, "aimUpdate", {"fields": ["planned_end_date"], "status": "SUSPENDED"}, 70),
    ):  # fmt: skip
        at = AT + dt.timedelta(days=days)
        add(
            "audit_event", id=key, **own, sequence=key,
            at=at.replace(tzinfo=None) if connection.dialect.name == "sqlite" else at, actor_id=1, role="ASSESSOR",
            action=action, subject_type="Aim" if action != "sessionComplete" else "Session", subject_key=1, aim_id=1,
            detail=detail, previous_hash="0" * 64, hash=str(key) * 64,
        )  # fmt: skip
    add(
        "session", id=1, **own, number=1, type="FORMAL_REVIEW", status="ATTENDED", starts_at=AT,
        ends_at=AT + dt.timedelta(hours=1) if connection.dialect.name != "sqlite" else dt.datetime(2026, 3, 2, 10),
        assessor_id=1,
    )  # fmt: skip
    for key, aim, day, session in (
        (1, 1, dt.date(2026, 3, 5), None), (2, 1, dt.date(2026, 3, 6), 1), (3, 1, dt.date(2026, 5, 1), None),
        (4, 2, dt.date(2026, 3, 5), None), (5, 1, dt.date(2026, 3, 1), None), (6, None, dt.date(2026, 3, 5), None),
    ):  # fmt: skip
        add(
            "time_log_entry", id=key, **own, date=day, activity_type="COACHING_OR_MENTORING",
            job_setting="OFF_THE_JOB", minutes=60, aim_id=aim, comments="x", automatic=session is not None,
            session_id=session, added_by_id=1, added_at=AT,
        )  # fmt: skip

    add(
        "file", id=1, **own, name="joint.jpg", content_type="image/jpeg", size=3, sha256="0" * 64, storage_key="k",
        uploaded_by_id=2, announced_at=AT, uploaded_at=AT,
    )  # fmt: skip
    for key in (1, 2, 3):
        add(
            "evidence", id=key, **own, aim_id=1, title=f"Lap-Joint {key}", description="Glued", status="SUBMITTED",
            file_id=1, declared_own_work=True, submitted_by_id=2, submitted_at=AT, assessment_methods=[],
        )  # fmt: skip


async def _release(database: Database) -> None:
    """Makes the tables of the release and fills them."""
    release = Migrations()
    release.scripts, release.revisions = release.scripts[:2], release.revisions[:2]
    await expand(database, found=release)
    async with database.writing() as session:
        await (await session.connection()).run_sync(_fill)


async def test_an_installation_of_the_first_release(databases: Databases, backend: str) -> None:
    url = await databases._create(backend, None)
    database = Database(url)
    await _release(database)
    await migrate(database)
    async with database.writing() as session:
        changes = list(await session.scalars(select(AimStatusChange).order_by(AimStatusChange.id)))
        breaks = list(await session.scalars(select(AimBreak)))
        units = list(await session.scalars(select(AimUnit)))
        sums = list(await session.scalars(select(AimProgress).order_by(AimProgress.aim_id)))
        entries = list(await session.scalars(select(TimeLogEntry).order_by(TimeLogEntry.id)))
        words = list(await session.scalars(select(Evidence.search_text).order_by(Evidence.id)))
        mismatches = await progress_mismatches(session)
    # The evidence itself is left out here.
    assert mismatches == ["aim 1, criterion 12: stored 1 evidence, counted 0"]
    suspended = dt.date(2026, 5, 1)
    history = [(each.status, each.from_date, each.changed_by_id) for each in changes if each.aim_id == 1]
    assert history == [
        (AimStatus.AWAITING_INDUCTION, dt.date(2026, 3, 2), 1), (AimStatus.IN_TRAINING, dt.date(2026, 3, 4), 1),
        (AimStatus.SUSPENDED, suspended, 1),
    ]  # fmt: skip
    # Of the other aim the audit trail says nothing: it counts as it is now.
    assert [(each.status, each.changed_by_id) for each in changes if each.aim_id == 2] == [
        (AimStatus.AWAITING_INDUCTION, None), (AimStatus.IN_TRAINING, None),
    ]  # fmt: skip
    assert [(each.aim_id, each.start_date, each.returned_on) for each in breaks] == [(1, suspended, None)]
    assert [(each.aim_id, each.unit_id) for each in units] == [(1, 12)]
    assert [(each.criteria_total, each.criteria_mapped, each.chosen_units) for each in sums] == [
        (2, 1, "12"), (1, 0, None),
    ]  # fmt: skip
    assert [each.required_minutes for each in sums] == [6_000, 0]
    assert [each.exclusion and each.exclusion.value for each in entries] == [
        None, "PROGRESS_REVIEW", "ON_BREAK", "ENGLISH_OR_MATHS", "BEFORE_START", None,
    ]  # fmt: skip
    assert words == [fold_words(f"Lap-Joint {key}", "Glued") for key in (1, 2, 3)]
    await database.close()
    await databases.drop(url)
