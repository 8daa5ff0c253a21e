"""Trusted documents in the database: added by clients' versions, found by id and text, counted, and retired."""

import asyncio
import datetime as dt

import pytest
from sqlalchemy import func, select

from db.database import Database, statement_count
from db.models.trusted_document import ClientDocument, TrustedDocument
from domain import clock
from services.trusted_documents import registry
from services.trusted_documents.registry import TrustedDocuments
from services.trusted_documents.store import (
    IdTaken,
    NewDocument,
    add_documents,
    client_versions,
    digest,
    retire_documents,
)

ROLE, NAME = NewDocument("a1", "{\n  viewer {\n    role\n  }\n}"), NewDocument("b2", "{\n  viewer\n}")


async def add(database: Database, version: str, *documents: NewDocument, now: dt.datetime | None = None) -> int:
    async with database.writing() as session:
        return await add_documents(session, "portal", version, documents, now or clock.now())


async def retire(database: Database, *conditions: object) -> int:
    async with database.writing() as session:
        return await retire_documents(session, *conditions)  # type: ignore[arg-type]


async def test_a_document_is_found_by_its_id_and_by_its_text(database: Database) -> None:
    documents = TrustedDocuments(database)
    await documents.look()
    assert await documents.find("a1") is None
    assert await add(database, "1", ROLE, NAME) == 2
    assert await add(database, "1", ROLE) == 0
    assert await add(database, "2", ROLE) == 1
    await documents.look()
    assert await documents.find("a1") == await documents.find(digest(ROLE.text)) == ROLE.text
    assert documents.counts() == {("portal", "1"): 2, ("portal", "2"): 1}
    async with database.snapshot() as session:
        assert await session.scalar(select(func.count()).select_from(TrustedDocument)) == 2


async def test_an_id_names_one_document(database: Database) -> None:
    await add(database, "1", ROLE)
    with pytest.raises(IdTaken, match="^a1: this id names another document of portal 1$"):
        await add(database, "2", NAME, NewDocument("a1", NAME.text))
    async with database.snapshot() as session:
        assert await session.scalar(select(func.count()).select_from(ClientDocument)) == 1


async def test_a_document_is_found_as_soon_as_it_is_registered(database: Database) -> None:
    documents = TrustedDocuments(database)
    await documents.look()
    # Another process adds it, moments after this one has looked.
    await add(database, "1", ROLE)
    assert await documents.find("a1") == ROLE.text


async def test_an_unknown_id_is_looked_up_once_a_second(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_MISS_SECONDS", 0.3)
    documents = TrustedDocuments(database)
    assert await documents.find("a1") is None
    await add(database, "1", NAME)
    token = statement_count.set(statements := [0])
    # They wait until that long has passed since the last unknown id, and one of them looks.
    assert await asyncio.gather(*(documents.find("b2") for _ in range(20))) == [NAME.text] * 20
    assert statements == [2]
    statement_count.reset(token)


async def test_uses_count_for_the_client_that_the_request_names(database: Database) -> None:
    await add(database, "1", ROLE, NAME)
    await add(database, "2", ROLE)
    documents = TrustedDocuments(database)
    for client in (("portal", "2"), ("portal", "2"), ("portal", "9"), ("other", "1"), None):
        assert await documents.find("a1", client)
    await documents.save_uses()
    await documents.save_uses()
    assert documents.uses == {("portal", "1"): 3, ("portal", "2"): 5}
    async with database.snapshot() as session:
        found = await client_versions(session)
    assert [tuple(each) for each in found] == [
        ("portal", "1", 2, 3, clock.today()),
        ("portal", "2", 1, 5, clock.today()),
    ]


async def test_what_is_retired_is_found_no_more(database: Database) -> None:
    await add(database, "1", ROLE, NAME)
    await add(database, "2", ROLE)
    documents = TrustedDocuments(database)
    await documents.look()
    assert await retire(database, "portal", "1") == 2
    await documents.look()
    assert await documents.find("a1") == ROLE.text
    assert await documents.find("b2") is None
    assert await retire(database, "portal") == 1
    await documents.look()
    assert await documents.find("a1") is None
    async with database.snapshot() as session:
        assert await session.scalar(select(func.count()).select_from(TrustedDocument)) == 0


async def test_what_nobody_has_used_for_some_days_is_retired(database: Database) -> None:
    day, long_ago = clock.today() - dt.timedelta(days=30), clock.now() - dt.timedelta(days=90)
    await add(database, "1", ROLE, NAME, now=long_ago)
    await add(database, "2", NAME)
    documents = TrustedDocuments(database)
    await documents.find("a1")
    await documents.save_uses()
    assert await retire(database, None, None, day) == 1
    async with database.snapshot() as session:
        left = [(each.client_version, each.documents) for each in await client_versions(session)]
    assert left == [("1", 1), ("2", 1)]
    assert await retire(database, None, None, clock.today()) == 0
