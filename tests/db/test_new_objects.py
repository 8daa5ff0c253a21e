"""New and changed objects that are sent directly on PostgreSQL: the rows are those of SQLAlchemy's flush."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, event, select, text
from sqlalchemy.exc import IntegrityError, NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from db.database import Database, statement_count
from db.loaded_entity import attributes_of, columns_of
from db.models.action import Action
from db.models.aim_history import TimeHistory
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.registry import mapped_classes
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from db.write_session import WriteSession
from domain import clock
from domain.enums import ActivityType, JobSetting, PortfolioPart
from services.change_feed.changed_parts import changed_parts, moved_learners


class RolledBack(Exception):
    """Ends a transaction of a test."""


async def row_of(session: AsyncSession, entity: Any, conditions: list[Any]) -> dict[str, Any] | None:
    """Returns a row by attribute, read on the session's connection without its objects."""
    assert isinstance(session, WriteSession)
    found = await session.rows(select(*columns_of(entity)).where(*conditions).limit(1), {})
    return dict(zip(attributes_of(entity), found[0], strict=True)) if found else None


def key_of(entity: Any, values: dict[str, Any]) -> list[Any]:
    return [column == values[column.name] for column in entity.__table__.primary_key]


async def inserted(database: Database, entity: Any, values: dict[str, Any], directly: bool) -> dict[str, Any] | None:
    """Returns the row that a new object in place of the row `values` gets, and takes the transaction back."""
    found: dict[str, Any] | None = None
    with pytest.raises(RolledBack):
        async with database.writing() as session:
            assert isinstance(session, WriteSession)
            # The transaction begins.
            await row_of(session, entity, [])
            # Neither triggers nor foreign keys: only the insert itself is compared.
            await session._direct.connection.driver.execute("set local session_replication_role = replica")
            await session.rows(delete(entity.__table__).where(*key_of(entity, values)), {})
            if not directly:
                await session.execute(text("select 1"))
            session.add(added := entity(**values))
            await session.flush()
            assert (session.made is None) is directly
            stored = {name: getattr(added, name) for name in attributes_of(entity)}
            found = await row_of(session, entity, key_of(entity, stored))
            # What the object has, in the types of its attributes, is what is stored.
            assert found == stored, entity.__name__
            raise RolledBack
    return found


def without_times(row: dict[str, Any] | None) -> dict[str, Any]:
    assert row is not None
    return {name: value for name, value in row.items() if not isinstance(value, dt.datetime)}


async def test_new_objects_of_every_class_are_stored_as_by_sqlalchemy(demo_postgres: Database):
    compared = 0
    for entity in mapped_classes():
        async with demo_postgres.writing() as session:
            values = await row_of(session, entity, [])
        if values is None:
            continue
        assert await inserted(demo_postgres, entity, values, directly=True) == values, entity.__name__
        # Without what has a default.
        columns = entity.__table__.c
        given = {
            name: value for name, value in values.items() if columns[name].primary_key or not columns[name].default
        }
        defaults = {name for name in values if name not in given}
        if defaults:
            directly, otherwise = [
                await inserted(demo_postgres, entity, given, directly=each) for each in (True, False)
            ]
            assert without_times(directly) == without_times(otherwise), entity.__name__
        compared += 1
    assert compared > 40


@contextmanager
def flushes_of_sqlalchemy() -> Iterator[list[str]]:
    seen: list[str] = []

    def before(*_: Any) -> None:
        seen.append("flush")

    event.listen(Session, "before_flush", before)
    yield seen
    event.remove(Session, "before_flush", before)


def user(name: str) -> User:
    return User(provider_id=1, created_at=clock.now(), username=name, name=name, email=name, password_hash="")


async def test_rows_are_inserted_in_the_order_of_tables_and_objects_have_their_keys(demo_postgres: Database):
    with flushes_of_sqlalchemy() as seen:
        async with demo_postgres.writing() as session:
            session.add_all([first := user("first"), second := user("second")])
            session.add(first)
            await session.flush()
            assert first.id and second.id == first.id + 1 and first.sort_name == "first"
            learner = Learner(provider_id=1, user_id=first.id, created_at=clock.now())
            provider = Provider(name="Other", created_at=clock.now())
            session.add_all([learner, provider])
            await session.flush()
            assert learner.id and provider.id and learner.version == 1
            assert changed_parts(session) == {Learner.__part__} and moved_learners(session)
            # An object that was inserted is one that can be changed, once.
            learner.uln, second.name = "1", "Zoe"
            await session.flush()
            assert (learner.version, second.sort_name) == (2, "zoe")
            assert await session.get(User, first.id) is first
            assert session.made is None  # type: ignore[attr-defined]
    assert seen == []
    async with demo_postgres.writing() as session:
        stored = await session.get_one(Learner, learner.id)
        assert (stored.uln, stored.version, (await session.get_one(User, second.id)).name) == ("1", 2, "Zoe")


async def test_the_history_follows_new_objects(demo_postgres: Database):
    async with demo_postgres.writing() as session:
        session.add(person := user("new"))
        await session.flush()
        session.add(learner := Learner(provider_id=1, user_id=person.id, created_at=clock.now()))
        await session.flush()
        session.add(
            TimeLogEntry(
                provider_id=1, learner_id=learner.id, date=clock.today(), minutes=25, comments="",
                activity_type=ActivityType.TRAINER_LED_TRAINING, job_setting=JobSetting.OFF_THE_JOB,
                added_by_id=person.id, added_at=clock.now(),
            )
        )  # fmt: skip
    history = select(TimeHistory.minutes).where(TimeHistory.learner_id == learner.id)
    assert [row.minutes for row in await demo_postgres.rows(history)] == [25]


async def test_several_changed_objects_of_a_class_are_one_statement(demo_postgres: Database):
    keys = [row.id for row in await demo_postgres.rows(select(Evidence.id).order_by(Evidence.id).limit(3))]
    count = [0]
    async with demo_postgres.writing() as session:
        evidence = [await session.get_one(Evidence, key) for key in reversed(keys)]
        versions = [each.version for each in evidence]
        for each in evidence:
            each.title = f"Wheel {each.id}"
        token = statement_count.set(count)
        await session.flush()
        statement_count.reset(token)
        assert [each.version for each in evidence] == [version + 1 for version in versions]
        assert changed_parts(session) == {PortfolioPart.EVIDENCE}
    assert count == [1]
    titles = select(Evidence.title).order_by(Evidence.id).limit(3)
    assert [row.title for row in await demo_postgres.rows(titles)] == [f"Wheel {key}" for key in keys]


async def test_one_of_several_that_another_transaction_changed_is_stale(demo_postgres: Database):
    keys = [row.id for row in await demo_postgres.rows(select(Evidence.id).order_by(Evidence.id).limit(2))]
    with pytest.raises(StaleDataError):
        async with demo_postgres.writing() as session:
            for key in keys:
                (await session.get_one(Evidence, key)).title = "Second"
            async with demo_postgres.writing() as other:
                (await other.get_one(Evidence, keys[1])).title = "First"
    stored = select(Evidence.title).where(Evidence.id.in_(keys)).order_by(Evidence.id)
    assert [row.title for row in await demo_postgres.rows(stored)][1] == "First"
    assert [row.title for row in await demo_postgres.rows(stored)][0] != "Second"


async def test_a_new_object_that_a_constraint_refuses_is_an_integrity_error(demo_postgres: Database):
    with pytest.raises(IntegrityError):
        async with demo_postgres.writing() as session:
            session.add_all([user("twice"), user("twice")])
    assert demo_postgres.pool_counts()["writes"].in_use == 0


async def test_new_objects_reach_the_session_of_sqlalchemy(demo_postgres: Database):
    async with demo_postgres.writing() as session:
        session.add(added := user("new"))
        # unscoped: a test
        assert (await session.scalars(select(User).where(User.username == "new"))).all() == []
        assert added in session.new
        await session.flush()
        key = added.id
    async with demo_postgres.writing() as session:
        assert (await session.get_one(User, key)).name == "new"


async def test_what_has_no_row_is_none_or_an_error(demo_postgres: Database):
    async with demo_postgres.writing() as session:
        assert await session.get(Action, 10**9) is None
        with pytest.raises(NoResultFound):
            await session.get_one(Action, 10**9)
