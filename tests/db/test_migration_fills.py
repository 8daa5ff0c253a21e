"""Fills of the migrations from 0.1.0: rows written between the halves, and requests that go on meanwhile."""

import asyncio
import datetime as dt
import json
from collections import defaultdict
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncSession

import db.migrate
import db.migration_batches
import db.migration_locks
from db.database import Database
from db.migrate import contract, expand
from db.models.aim import AimProgress
from db.models.aim_break import AimBreak
from db.models.aim_status_change import AimStatusChange
from db.models.aim_unit import AimUnit
from db.models.evidence import Evidence
from db.models.time_log_entry import TimeLogEntry
from db.models.unit_signature import UnitSignature
from db.models.user import User
from db.table_version import migrations, table_version
from domain.enums import AimStatus
from domain.text import fold_words
from services.audit.progress_check import progress_mismatches
from tests.support.databases import Databases
from tests.support.first_release_rows import AT, adding, event, first_release, sign


def _write_on(connection: Connection) -> None:
    """Adds what processes of the release write between the halves, and rows that a process of this version wrote."""
    add, own = adding(connection), {"provider_id": 1, "learner_id": 1}
    later = AT + dt.timedelta(days=90)
    add(
        "aim", id=3, **own, qualification_id=1, status="AWAITING_INDUCTION", assessor_id=1,
        start_date=dt.date(2026, 6, 1), planned_end_date=dt.date(2027, 6, 1), created_at=later,
    )  # fmt: skip
    add("aim_progress", aim_id=3, **own, criteria_total=3, criteria_mapped=1, criteria_signed_off=0)
    add("criterion_progress", aim_id=3, criterion_id=13, unit_id=13, **own, evidence_count=1, signed_off=False)
    add("audit_event", **event(11, "aimAdd", {}, later, aim=3))
    connection.execute(text("UPDATE aim SET status = 'IN_TRAINING' WHERE id = 1"))
    add("audit_event", **event(12, "aimUpdate", {"fields": ["status"], "status": "IN_TRAINING"}, later))
    add(
        "time_log_entry", id=7, **own, date=dt.date(2026, 3, 5), activity_type="COACHING_OR_MENTORING",
        job_setting="OFF_THE_JOB", minutes=60, aim_id=2, comments="x", automatic=False, added_by_id=1, added_at=AT,
    )  # fmt: skip
    connection.execute(text("UPDATE evidence SET title = 'Dovetail' WHERE id = 1"))
    sign(add, 2, 12)
    add(
        "user_account", id=3, provider_id=1, username="eve", name="Eve", sort_name="eve", email="eve@x.y",
        password_hash="x", must_change_password=True, disclaimer_accepted=0, created_at=AT,
    )  # fmt: skip
    add(
        "one_time_token", id=1, provider_id=1, user_id=3, purpose="invitation", token_sha256="1" * 64, issued_at=AT,
        expires_at=later,
    )  # fmt: skip
    # A process of this version: by its rules the signature did not complete the unit, and unit 22 does not count.
    sign(add, 3, 13, completes_unit=False)
    signed = {"sha256": "0" * 64, "completes_unit": False}
    add("audit_event", **event(13, "unitSign", signed, later, subject_part=13))
    add("criterion_progress", aim_id=2, criterion_id=22, unit_id=22, **own, evidence_count=1, signed_off=False)
    add("audit_event", **event(14, "aimUnitsSet", {"fields": ["units"], "units": []}, later, aim=2))


async def test_what_the_release_writes_between_the_halves(databases: Databases, backend: str) -> None:
    url = await databases._create(backend, None)
    database = Database(url)
    await first_release(database)
    await expand(database)
    async with database.writing() as session:
        before = {table: await _rows(session, table) for table in ("aim_status_change", "aim_break", "aim_unit")}
        await (await session.connection()).run_sync(_write_on)
    await contract(database)
    async with database.writing() as session:
        after = {table: await _rows(session, table) for table in before}
        changes = list(await session.scalars(select(AimStatusChange).order_by(AimStatusChange.id)))
        breaks = list(await session.scalars(select(AimBreak)))
        units = list(await session.scalars(select(AimUnit).order_by(AimUnit.aim_id, AimUnit.unit_id)))
        sums = list(await session.scalars(select(AimProgress).order_by(AimProgress.aim_id)))
        exclusions = list(await session.scalars(select(TimeLogEntry.exclusion).order_by(TimeLogEntry.id)))
        words = list(await session.scalars(select(Evidence.search_text).order_by(Evidence.id)))
        completes = list(await session.scalars(select(UnitSignature.completes_unit).order_by(UnitSignature.id)))
        passwords = list(await session.scalars(select(User.has_password).order_by(User.id)))
        mismatches = await progress_mismatches(session)
    assert not [each for each in mismatches if "criteria," in each or "breaks" in each or "units" in each]
    # Nothing was added again.
    assert after["aim_status_change"][: len(before["aim_status_change"])] == before["aim_status_change"]
    assert [(each.aim_id, each.status) for each in changes[len(before["aim_status_change"]) :]] == [
        (1, AimStatus.IN_TRAINING), (3, AimStatus.AWAITING_INDUCTION),
    ]  # fmt: skip
    assert [(each.aim_id, each.returned_on) for each in breaks] == [(1, dt.date(2026, 5, 31))]
    assert [(each.aim_id, each.unit_id) for each in units] == [(1, 12), (1, 13), (3, 13)]
    assert [(each.criteria_total, each.chosen_units) for each in sums] == [(3, "12 13"), (1, None), (2, "13")]
    assert [each.required_minutes for each in sums] == [6_000, 0, 6_000]
    assert [each and each.value for each in exclusions] == [
        None, "PROGRESS_REVIEW", "ON_BREAK", "ENGLISH_OR_MATHS", "BEFORE_START", None, "ENGLISH_OR_MATHS",
    ]  # fmt: skip
    assert words[0] == fold_words("Dovetail", "Glued")
    assert completes == [True, True, False]
    assert passwords == [True, True, False]
    await database.close()
    await databases.drop(url)


async def _rows(session: AsyncSession, table: str) -> list[Any]:
    return list((await session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))).all())


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_fills_find_statistics(databases: Databases, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that pg_restore has filled has none: a fill then read all audit events for each learner."""
    url = await databases._create(backend, None)
    database = Database(url)
    await first_release(database)
    known = text("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'")
    found: list[set[str]] = []

    async def run_fill(*_: Any) -> None:
        found.append({name for (name,) in await database.rows(known, primary=True)})

    assert await database.rows(known, primary=True) == []
    monkeypatch.setattr(db.migrate, "run_fill", run_fill)
    await expand(database)
    assert {"aim", "audit_event", "evidence", "learner", "time_log_entry"} < found[0]
    await database.close()
    await databases.drop(url)


@pytest.mark.long
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_requests_go_on_while_rows_are_filled(
    databases: Databases, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each table: a request holds its last row, and others read all tables and write all other rows."""
    url = await databases._create(backend, None)
    database, other, lines = Database(url), Database(url), list[str]()
    await first_release(database)
    with monkeypatch.context() as only_upgrades:
        only_upgrades.setattr(db.migrate, "run_fill", lambda *_: asyncio.sleep(0))
        await expand(database)
    monkeypatch.setattr(db.migration_batches, "FIRST_SIZE", 1)
    monkeypatch.setattr(db.migration_batches, "LARGEST_SIZE", 1)
    monkeypatch.setattr(db.migration_locks, "LOCK_PAUSE_SECONDS", 0.05)
    keys, steps = dict[str, str](), defaultdict[str, list[str]](list)
    for step in (await table_version(database)).fills:
        fill = migrations().fills[step]
        keys[fill.table] = fill.key
        steps[fill.table].append(step)
    held = []
    for table, key in keys.items():
        async with other.writing() as session:
            last = await session.scalar(text(f"SELECT {key} FROM {table} ORDER BY {key} DESC LIMIT 1 FOR UPDATE"))
            if last is None:
                continue
            held.append(table)
            async with database.writing() as writing:
                state = {"fills": json.dumps({steps[table][0]: 0})}
                await writing.execute(text("UPDATE alembic_version SET fills = :fills"), state)
            filling = asyncio.create_task(expand(database, lines.append))
            async with asyncio.timeout(60):
                while not any(line.startswith(f"{steps[table][0]}: waits") for line in lines):
                    assert not filling.done(), table
                    await asyncio.sleep(0.01)
            async with database.writing() as writing:
                await writing.execute(text("SET LOCAL lock_timeout = 400"))
                for read, read_key in keys.items():
                    await writing.execute(text(f"SELECT * FROM {read}"))
                    where = f"{read_key} <> {last}" if read == table else "true"
                    await writing.execute(text(f"UPDATE {read} SET {read_key} = {read_key} WHERE {where}"))
                await writing.rollback()
            assert not filling.done()
        await filling
    assert {"aim", "aim_progress", "evidence", "learner", "time_log_entry", "unit_signature"} < set(held)
    await database.close()
    await other.close()
    await databases.drop(url)
