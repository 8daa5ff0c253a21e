"""Events get their places in the chain after the commit: none is left out, none waits, and every change is found."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.provider import Provider
from domain import clock
from domain.enums import PortfolioPart
from services.audit.append import append, append_unsealed
from services.audit.chain import audit_chain_problems, unsealed_notices
from services.change_feed import publisher as change_publisher
from services.change_feed.changes import ALL_PARTS, Changes
from services.change_feed.feed import CHANNEL, ChangeFeed
from services.change_feed.publisher import STRAY_SECONDS, ChangePublisher
from tests.support.databases import Databases


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The SQL that a block sends to the driver directly."""
    sent: list[str] = []

    def record(sql: str, *_: Any) -> None:
        sent.append(sql)

    database.read_listeners.append(record)
    yield sent
    database.read_listeners.remove(record)


@pytest.fixture(scope="module")
async def database(databases: Databases) -> AsyncIterator[Database]:
    """PostgreSQL: on SQLite, whose transactions wait for each other anyway, each appends to the chain itself."""
    url = await databases.fresh("postgresql")
    opened = Database(url)
    yield opened
    await opened.close()
    await databases.release(url)


@pytest.fixture
async def provider(database: Database) -> int:
    async with database.writing() as session:
        added = Provider(name="Spokes", created_at=clock.now())
        session.add(added)
        await session.flush()
        return added.id


def event(provider: int, **columns: Any) -> dict[str, Any]:
    return {"provider_id": provider, "at": clock.now(), "action": "employerCreate", **columns}


async def commit(database: Database, provider: int, **columns: Any) -> int:
    async with database.writing() as session:
        return await append_unsealed(session, event(provider, **columns))


async def places(database: Database, provider: int) -> list[tuple[int, int]]:
    statement = select(AuditEvent.id, AuditEvent.sequence).where(AuditEvent.provider_id == provider)
    return [tuple(row) for row in await database.rows(statement.order_by(AuditEvent.id))]


async def problems(database: Database) -> list[str]:
    async with database.snapshot() as session:
        return [problem async for problem in audit_chain_problems(session)]


async def test_transactions_of_one_provider_do_not_wait_for_each_other(database: Database, provider: int) -> None:
    publisher = ChangePublisher(database, CHANNEL)
    async with asyncio.timeout(10), database.writing() as first:
        slow = await append_unsealed(first, event(provider))
        # It has everything but its commit; the others commit, and are sealed.
        keys = [await commit(database, provider) for _ in range(3)]
        assert await places(database, provider) == [(key, -1 - key) for key in keys]
        for key in keys:
            publisher.add_event(provider, key)
        await publisher.publish()
    publisher.add_event(provider, slow)
    await publisher.publish()
    assert await places(database, provider) == [(slow, 4), *zip(keys, (1, 2, 3), strict=True)]
    assert await problems(database) == []


async def test_processes_that_seal_at_once_make_one_chain(database: Database, provider: int) -> None:
    """Two that know the same events, and one of the last version, which appends to the chain itself."""
    publishers = [ChangePublisher(database, CHANNEL) for _ in range(2)]

    async def of_last_version() -> None:
        async with database.writing() as session:
            await append(session, AuditEvent(**event(provider)))

    for _ in range(5):
        for key in [await commit(database, provider) for _ in range(4)]:
            for publisher in publishers:
                publisher.add_event(provider, key)
        await asyncio.gather(*(publisher.publish() for publisher in publishers), of_last_version())
    assert sorted(place for _, place in await places(database, provider)) == list(range(1, 26))
    assert await problems(database) == []


async def test_another_process_publishes_what_a_killed_one_committed(database: Database, provider: int) -> None:
    before, learner = clock.now() - dt.timedelta(seconds=STRAY_SECONDS + 1), 77
    stray, fresh = await commit(database, provider, at=before, learner_id=learner), await commit(database, provider)
    changes = ChangeFeed(database)
    async with changes.listening(), changes.subscriber(provider) as subscriber, asyncio.timeout(20):
        # The first after the process listens may come before its connection: both say that the learner changed.
        await subscriber.wait()
        while not (taken := subscriber.take()).everything and taken != Changes({learner: ALL_PARTS}):
            await subscriber.wait()
        while (place := dict(await places(database, provider)))[stray] < 0:
            await asyncio.sleep(0.02)
    assert place == {stray: 1, fresh: -1 - fresh}
    assert await problems(database) == []


async def test_what_could_not_be_published_is_published_later(
    database: Database, provider: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = ChangePublisher(database, CHANNEL)
    publisher.add_event(provider, key := await commit(database, provider))
    publisher.add_changes(provider, Changes({5: frozenset({PortfolioPart.AIM})}))

    async def fail(*_: Any) -> None:
        raise SQLAlchemyError

    with monkeypatch.context() as patched:
        patched.setattr(change_publisher, "seal", fail)
        with pytest.raises(SQLAlchemyError):
            await publisher.publish()
    publisher.add_changes(provider, Changes({5: frozenset({PortfolioPart.CV})}))
    with counted(database) as statements:
        await publisher.publish()
    assert await places(database, provider) == [(key, 1)]
    assert len([sql for sql in statements if "pg_notify" in sql]) == 1
    # Nothing is left.
    with counted(database) as statements:
        await publisher.publish()
    assert statements == []


async def test_many_commits_are_sealed_with_few_statements(database: Database, provider: int) -> None:
    publisher = ChangePublisher(database, CHANNEL)
    for number in range(30):
        publisher.add_event(provider, await commit(database, provider))
        publisher.add_changes(provider, Changes({number: frozenset({PortfolioPart.AIM})}))
    with counted(database) as statements:
        await publisher.publish()
    # The end of the chain, the events, their places, the new end; the notification.
    assert len(statements) == 5
    assert await problems(database) == []


async def test_batches_of_every_size_are_sealed_by_the_same_sql(database: Database, provider: int) -> None:
    publisher, sent = ChangePublisher(database, CHANNEL), []
    for size in (1, 3):
        for _ in range(size):
            publisher.add_event(provider, await commit(database, provider))
        with counted(database) as statements:
            await publisher.publish()
        sent.append(statements)
    # SQL of a size of its own would be compiled, and prepared, for each size.
    assert sent[0] == sent[1] != []
    assert await problems(database) == []


FORGERIES = {
    "a sealed event is changed": update(AuditEvent).where(AuditEvent.sequence == 2).values(address="192.0.2.1"),
    "a sealed event is deleted": delete(AuditEvent).where(AuditEvent.sequence == 2),
    "the last event is unsealed": update(AuditEvent).where(AuditEvent.sequence == 3).values(sequence=-7),
    "an event has no place": update(AuditEvent).where(AuditEvent.sequence < 0).values(sequence=0),
    "an event is older than one can wait": (
        update(AuditEvent).where(AuditEvent.sequence < 0).values(at=clock.now() - dt.timedelta(hours=2))
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_no_sealed_event_changes_unseen(database: Database, provider: int, forgery: str) -> None:
    publisher = ChangePublisher(database, CHANNEL)
    for _ in range(3):
        publisher.add_event(provider, await commit(database, provider))
    await publisher.publish()
    await commit(database, provider)
    assert await problems(database) == []
    # In a transaction that is rolled back.
    async with database.writing() as session:
        statement = FORGERIES[forgery].where(AuditEvent.provider_id == provider)
        await session.execute(statement.execution_options(synchronize_session=False))
        found = [problem async for problem in audit_chain_problems(session)]
        await session.rollback()
    assert [problem for problem in found if problem.startswith(f"provider {provider}:")]


async def test_verify_names_what_is_not_sealed(database: Database, provider: int) -> None:
    for _ in range(2):
        await commit(database, provider)
    async with database.snapshot() as session:
        notices = [notice async for notice in unsealed_notices(session)]
    assert [notice for notice in notices if notice.startswith(f"provider {provider}: 2 of its events")]
