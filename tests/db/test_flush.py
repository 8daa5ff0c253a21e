"""The flush of a session: what is sent directly leaves the rows and objects as SQLAlchemy's flush does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from db import flush as db_flush
from db.database import Database
from db.flush import flush
from db.models.action import Action
from db.models.evidence import Evidence
from db.models.learner import Learner
from db.models.user import User
from domain import clock
from domain.enums import PortfolioPart
from services.change_feed.changed_parts import changed_parts


@contextmanager
def flushes() -> Iterator[list[str]]:
    """Each flush that SQLAlchemy sent (`sqlalchemy`), and the class of each object that was sent directly."""
    seen: list[str] = []

    def before(*_: Any) -> None:
        seen.append("sqlalchemy")

    event.listen(Session, "before_flush", before)
    db_flush._listeners.append(sent := lambda _, changed, __: seen.append(type(changed).__name__))
    yield seen
    db_flush._listeners.remove(sent)
    event.remove(Session, "before_flush", before)


async def first(session: AsyncSession, entity: Any, number: int = 0) -> Any:
    return (await session.execute(select(entity).order_by(entity.id).offset(number).limit(1))).scalar_one()


async def test_changed_objects_are_sent_directly(demo_database: Database):
    with flushes() as seen:
        async with demo_database.writing() as session:
            evidence, action = await first(session, Evidence), await first(session, Action)
            version = evidence.version
            evidence.title, evidence.assessment_methods = "Wheel", ["PRODUCT"]
            action.title = "Build it"
            await flush(session)
            assert (evidence.version, list(session.dirty)) == (version + 1, [])
            # A second flush finds the version that the first has left.
            evidence.feedback = "Round"
            await flush(session)
            assert changed_parts(session) == {PortfolioPart.EVIDENCE, PortfolioPart.ACTION}
    assert seen == ["Action", "Evidence", "Evidence"]
    async with demo_database.writing() as session:
        stored = await session.get_one(Evidence, evidence.id)
        assert (stored.title, stored.assessment_methods, stored.version) == ("Wheel", ["PRODUCT"], version + 2)
        assert (stored.feedback, stored.search_text) == ("Round", evidence.search_text)
        assert (await session.get_one(Action, action.id)).title == "Build it"


async def test_an_attribute_that_was_set_to_what_it_was_sends_nothing(demo_database: Database):
    with flushes() as seen:
        async with demo_database.writing() as session:
            evidence = await first(session, Evidence)
            version, evidence.status = evidence.version, evidence.status
            await flush(session)
            assert (evidence.version, changed_parts(session)) == (version, set())
    assert seen == []


async def test_a_row_that_another_transaction_changed_is_stale(demo_database: Database):
    async with demo_database.writing() as session:
        evidence = await first(session, Evidence)
        key = evidence.id
    async with demo_database.writing() as session:
        (await session.get_one(Evidence, key)).title = "First"
    with pytest.raises(StaleDataError):
        async with demo_database.writing() as session:
            session.add(evidence)
            evidence.title = "Second"
    async with demo_database.writing() as session:
        assert (await session.get_one(Evidence, key)).title == "First"


async def test_what_an_update_alone_does_not_do_is_left_to_sqlalchemy(demo_database: Database):
    with flushes() as seen:
        async with demo_database.writing() as session:
            # Several of a class, which SQLAlchemy sends together.
            for number in range(2):
                (await first(session, Evidence, number)).title = "Both"
            await flush(session)
            # An expression of SQL.
            evidence = await first(session, Evidence)
            evidence.feedback = Evidence.title + "!"
            await flush(session)
            # None, which a JSON column stores as the JSON null.
            (await first(session, Evidence, 1)).assessment_methods = None
            await flush(session)
            # A new object.
            named = {"username": "n", "name": "N", "email": "n", "password_hash": ""}
            session.add(User(provider_id=1, created_at=clock.now(), **named))
            (await first(session, Learner)).uln = "9"
            await flush(session)
    assert seen == ["sqlalchemy"] * 4
    async with demo_database.writing() as session:
        assert (await first(session, Evidence)).feedback == "Both!"
        assert (await first(session, Learner)).uln == "9"
