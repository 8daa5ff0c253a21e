"""Rows that are inserted without an object of the session: the same row, history and parts as with one."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from db.database import Database
from db.inserted_row import insert_row
from db.loaded_entity import attributes_of
from db.models.aim_history import TimeHistory
from db.models.base import Base
from db.models.evidence import Evidence, EvidenceSignature, EvidenceVersion
from db.models.learner import Learner
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from domain import clock
from domain.enums import ActivityType, JobSetting, Role
from services.change_feed.changed_parts import changed_parts, moved_learners, note_write

# What differs between two rows: the key, and when each was inserted.
OWN = {"id", "updated_at"}


def stored(row: Base) -> dict[str, Any]:
    return {name: getattr(row, name) for name in attributes_of(type(row)) if name not in OWN}


async def values_of(database: Database, entity: type[Base], *without: str) -> dict[str, Any]:
    """The values of any row, but for its key and `without`."""
    async with database.writing() as session:
        row = (await session.execute(select(entity).limit(1))).scalar_one()
        return {name: value for name, value in stored(row).items() if name not in without}


async def both(database: Database, entity: Any, values: dict[str, Any], changed: dict[str, Any]) -> list[Base]:
    """Returns the rows of the same values, inserted by the session and directly, as they are stored."""
    async with database.writing() as session:
        session.add(added := entity(**values))
        await session.flush()
        keys = [added.id, await insert_row(session, entity, {**values, **changed})]
    async with database.writing() as session:
        return [await session.get_one(entity, key) for key in keys]


async def test_an_inserted_row_is_that_of_the_session(demo_database: Database):
    # `version`, and whether an entry is automatic, have defaults.
    left_out = ("version", "automatic", "session_id")
    by_session, directly = await both(
        demo_database, TimeLogEntry, await values_of(demo_database, TimeLogEntry, *left_out), {}
    )
    assert stored(directly) == stored(by_session)
    assert (directly.version, directly.automatic) == (1, False)
    assert abs(directly.updated_at - by_session.updated_at) < dt.timedelta(seconds=5)
    searched = (await values_of(demo_database, Evidence))["search_text"]
    values = await values_of(demo_database, Evidence, "version", "search_text")
    by_session, directly = await both(demo_database, Evidence, values, {"search_text": searched})
    assert stored(directly) == stored(by_session)
    values = await values_of(demo_database, EvidenceVersion, "number")
    by_session, directly = await both(demo_database, EvidenceVersion, {**values, "number": 98}, {"number": 99})
    assert {**stored(directly), "number": 98} == stored(by_session)
    values = {**await values_of(demo_database, EvidenceSignature), "version_number": 98}
    by_session, directly = await both(
        demo_database, EvidenceSignature, values, {"role": Role.IQA, "version_number": 99}
    )
    assert {**stored(directly), "role": by_session.role, "version_number": 98} == stored(by_session)


async def test_a_default_that_follows_from_other_columns_must_be_given(demo_database: Database):
    values = await values_of(demo_database, Evidence, "search_text")
    with pytest.raises(TypeError, match=r"evidence\.search_text must be given"):
        async with demo_database.writing() as session:
            await insert_row(session, Evidence, values)


async def test_the_history_follows_an_inserted_time_log_entry(demo_database: Database):
    async with demo_database.writing() as session:
        named = {"username": "new@example.org", "name": "New", "email": "new@example.org", "password_hash": ""}
        session.add(user := User(provider_id=1, created_at=clock.now(), **named))
        await session.flush()
        session.add(learner := Learner(provider_id=1, user_id=user.id, created_at=clock.now()))
        await session.flush()
        key = learner.id
    async with demo_database.writing() as session:
        await insert_row(
            session, TimeLogEntry,
            {
                "provider_id": 1, "learner_id": key, "date": clock.today(), "minutes": 25, "comments": "",
                "activity_type": ActivityType.TRAINER_LED_TRAINING, "job_setting": JobSetting.OFF_THE_JOB,
                "added_by_id": user.id, "added_at": clock.now(),
            },
        )  # fmt: skip
    history = select(TimeHistory.minutes).where(TimeHistory.learner_id == key)
    assert [row.minutes for row in await demo_database.rows(history)] == [25]


async def test_rows_that_the_history_follows_in_another_way_are_refused(demo_database: Database):
    with pytest.raises(TypeError, match="Learner"):
        async with demo_database.writing() as session:
            await insert_row(session, Learner, {"provider_id": 1, "user_id": 1})


async def test_an_inserted_row_changes_its_part_of_the_portfolio(demo_database: Database):
    async with demo_database.writing() as session:
        note_write(session, TimeLogEntry)
        assert (changed_parts(session), moved_learners(session)) == ({TimeLogEntry.__part__}, False)
        note_write(session, Learner)
        assert moved_learners(session)
