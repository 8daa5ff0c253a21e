"""When a record last changed: every change of it, or of rows that belong to it, moves it, however it is written."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Connection, Integer, Text, UniqueConstraint, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from db import updated_at_triggers
from db.database import Database
from db.models.base import Base, UtcDateTime
from db.models.evidence import Evidence, EvidenceMapping
from db.models.learner import Learner
from db.models.registry import mapped_classes
from db.models.time_log_entry import TimeLogEntry
from db.models.updated_at import DeletedRecord
from db.models.user import User

LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def sources() -> Iterator[tuple[type[Base], list[Any]]]:
    """Every class whose rows move others, with what they move."""
    moving = {each.__tablename__: each for each in updated_at_triggers.moving_classes()}
    for entity in mapped_classes():
        if owners := updated_at_triggers._owners(entity, moving):
            yield entity, owners


async def set_back(session: Any) -> None:
    """Lets every record say that it changed long ago. A trigger would not let it."""
    connection = await session.connection()
    await connection.run_sync(updated_at_triggers.remove)
    for entity in updated_at_triggers.moving_classes():
        await session.execute(update(entity.__table__).values(updated_at=LONG_AGO))
    await connection.run_sync(updated_at_triggers.install)


def another_value(column: Column[Any]) -> Any:
    """An expression of another value for a column; None where a simple one may break a rule of the table."""
    is_unique = any(
        column.name in each.columns for each in column.table.constraints if isinstance(each, UniqueConstraint)
    )
    if is_unique or column.foreign_keys or column.primary_key or column.name.endswith("_id") or column.unique:
        return None
    if isinstance(column.type, Boolean):
        return ~column
    if isinstance(column.type, Integer):
        return column + 1
    if isinstance(column.type, UtcDateTime):
        return LONG_AGO
    is_text = isinstance(column.type, Text) or getattr(column.type, "length", None) in (200, 254, 300)
    return func.coalesce(column, "") + "x" if is_text else None


async def test_a_change_of_any_column_of_any_part_moves_what_it_belongs_to(demo_database: Database):
    """With plain SQL, which no session of SQLAlchemy knows of."""
    tried = set()
    async with demo_database.writing() as session:
        await set_back(session)
        await session.commit()
        for entity, owners in sources():
            table = entity.__table__
            columns = [(column, another_value(column)) for column in updated_at_triggers._compared(entity)]
            for column, value in [each for each in columns if each[1] is not None][:3]:
                present = select(table).where(column.is_not(None)).limit(1)
                row = (await session.execute(present)).mappings().first()
                if row is None or row[column.name] == LONG_AGO:
                    continue
                this = [key == row[key.name] for key in table.primary_key]
                try:
                    await session.execute(update(table).where(*this).values({column.name: value}))
                except IntegrityError:
                    # The value breaks a rule of the table.
                    await session.rollback()
                    continue
                for owner in owners:
                    sql = text(f"SELECT updated_at FROM {owner.table} WHERE {owner.key} = :key")
                    # An account may be of no learner.
                    for moved in await session.scalars(sql, {"key": row[owner.column]}):
                        assert str(moved)[:10] != "2026-01-01", (entity, column, owner)
                        tried.add((entity.__tablename__, owner.table))
                await session.rollback()
    assert len(tried) > 30, sorted(tried)


async def moved(session: Any, entity: Any, key: int) -> bool:
    at = (await session.execute(select(entity.updated_at).where(entity.id == key))).scalar_one()
    return bool(at > LONG_AGO)


async def test_only_a_change_moves(demo_database: Database):
    async with demo_database.writing() as session:
        await set_back(session)
        learner = (await session.execute(select(Learner).limit(1))).scalar_one()
        user = await session.get_one(User, learner.user_id)
        # A counter, the same values, and what nobody reads of a learner.
        await session.execute(update(Learner).where(Learner.id == learner.id).values(last_session_number=99))
        await session.execute(update(User).where(User.id == user.id).values(name=User.name, digest_hour=7))
        assert not await moved(session, Learner, learner.id)
        await session.execute(update(User).where(User.id == user.id).values(name="Another"))
        assert await moved(session, Learner, learner.id)


async def test_statements_about_many_rows_move_them_all(demo_database: Database):
    async with demo_database.writing() as session:
        await set_back(session)
        keys = list(await session.scalars(select(TimeLogEntry.id).limit(20)))
        await session.execute(
            update(TimeLogEntry).where(TimeLogEntry.id.in_(keys)).values(minutes=TimeLogEntry.minutes + 1)
        )
        assert all([await moved(session, TimeLogEntry, key) for key in keys])
        mapped = (await session.execute(select(EvidenceMapping).limit(1))).scalar_one()
        assert not await moved(session, Evidence, mapped.evidence_id)
        await session.execute(delete(EvidenceMapping).where(EvidenceMapping.id == mapped.id))
        assert await moved(session, Evidence, mapped.evidence_id)


async def test_what_is_deleted_is_remembered(demo_database: Database):
    async with demo_database.writing() as session:
        entry = (
            await session.execute(select(TimeLogEntry).where(TimeLogEntry.session_id.is_(None)).limit(1))
        ).scalar_one()
        await session.execute(delete(TimeLogEntry).where(TimeLogEntry.id == entry.id))
        gone = (await session.execute(select(DeletedRecord))).scalar_one()
    assert (gone.record_type, gone.record_key, gone.learner_id, gone.aim_id, gone.provider_id) == (
        "TimeLogEntry", entry.id, entry.learner_id, entry.aim_id, entry.provider_id,
    )  # fmt: skip


async def test_the_triggers_are_those_that_are_derived(database: Database):
    def names(connection: Connection) -> tuple[set[str], set[str]]:
        return set(updated_at_triggers._existing(connection)), {
            each.name for each in updated_at_triggers.triggers(connection.dialect.name)
        }

    async with database.writing() as session:
        connection = await session.connection()
        existing, derived = await connection.run_sync(names)
        assert existing == derived and len(derived) > 60
        await connection.run_sync(updated_at_triggers.remove)
        assert (await connection.run_sync(names))[0] == set()
        await connection.run_sync(updated_at_triggers.install)
        assert await connection.run_sync(names) == (derived, derived)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_names_fit_the_databases(dialect: str):
    names = [each.name for each in updated_at_triggers.triggers(dialect)]
    assert len(set(names)) == len(names) and max(map(len, names)) <= 63
