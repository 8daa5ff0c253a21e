"""Rows as version 0.1.0 wrote them: a learner with a suspended diploma and English, and what belongs to them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, MetaData, insert

from db.database import Database
from db.migrate import expand
from db.table_version import Migrations

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def adding(connection: Connection) -> Callable[..., None]:
    """Returns a function that adds a row, as the tables are now, by the names of a table and of its columns."""
    metadata = MetaData()
    metadata.reflect(connection)
    is_sqlite = connection.dialect.name == "sqlite"

    def add(table: str, **values: Any) -> None:
        if "version" in metadata.tables[table].columns and table != "qualification":
            values.setdefault("version", 1)
        moments = {name: value for name, value in values.items() if isinstance(value, dt.datetime)}
        values |= {name: value.replace(tzinfo=None) if is_sqlite else value for name, value in moments.items()}
        connection.execute(insert(metadata.tables[table]), values)

    return add


def event(key: int, action: str, detail: dict[str, Any], at: dt.datetime, aim: int = 1, **more: Any) -> dict[str, Any]:
    """Returns an audit event about an aim."""
    return {
        "id": key, "provider_id": 1, "learner_id": 1, "sequence": key, "at": at, "actor_id": 1, "role": "ASSESSOR",
        "action": action, "subject_type": "Aim" if action != "sessionComplete" else "Session", "subject_key": aim,
        "aim_id": aim, "detail": detail, "previous_hash": "0" * 64, "hash": str(key % 10) * 64, **more,
    }  # fmt: skip


def add_rows(connection: Connection) -> None:
    """Adds a learner with a diploma that is suspended, and English."""
    add = adding(connection)
    p: dict[str, Any] = {"provider_id": 1}
    add(
        "provider", id=1, name="Here", created_at=AT, traffic_light_tolerance=10.0, rated_from_percent=0.0,
        review_interval_weeks=12, unit_signatures=["ASSESSOR"], disclaimer_version=1, settings_version=1,
        audit_sequence=0, audit_hash="0" * 64,
    )  # fmt: skip
    for key, name in ((1, "Ann"), (2, "Ada")):
        add(
            "user_account", id=key, **p, username=name.lower(), name=name, sort_name=name, email=f"{name}@x.y",
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
        add("audit_event", **event(key, action, detail, AT + dt.timedelta(days=days)))
    add(
        "session", id=1, **own, number=1, type="FORMAL_REVIEW", status="ATTENDED", starts_at=AT,
        ends_at=AT + dt.timedelta(hours=1), assessor_id=1,
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

    sign(add, 1, 11)
    add(
        "file", id=1, **own, name="joint.jpg", content_type="image/jpeg", size=3, sha256="0" * 64, storage_key="k",
        uploaded_by_id=2, announced_at=AT, uploaded_at=AT,
    )  # fmt: skip
    for key in (1, 2, 3):
        add(
            "evidence", id=key, **own, aim_id=1, title=f"Lap-Joint {key}", description="Glued", status="SUBMITTED",
            file_id=1, declared_own_work=True, submitted_by_id=2, submitted_at=AT, assessment_methods=[],
        )  # fmt: skip


def sign(add: Callable[..., None], key: int, unit: int, **more: Any) -> None:
    """Adds the assessor's signature on a unit of the diploma: the only one that the provider asks for."""
    add(
        "unit_signature", id=key, provider_id=1, learner_id=1, aim_id=1, unit_id=unit, role="ASSESSOR", signed_by_id=1,
        signed_at=AT, statement="Signed", content_sha256="0" * 64, **more,
    )  # fmt: skip


async def first_release(database: Database) -> None:
    """Makes the tables of the release and fills them."""
    release = Migrations()
    release.scripts, release.revisions = release.scripts[:2], release.revisions[:2]
    await expand(database, found=release)
    async with database.writing() as session:
        await (await session.connection()).run_sync(add_rows)
