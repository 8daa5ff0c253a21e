"""The reads of an export see one moment, whatever is written meanwhile, and keep no writer waiting."""

import pytest
from sqlalchemy import select

from db.database import Database
from db.models.provider import Provider
from db.snapshot_reads import one_snapshot
from tests.support.factories import Factory


async def test_all_reads_are_of_one_moment(database: Database, own_database_url: str):
    writer = Database(own_database_url)
    names = select(Provider.name)
    async with database.writing() as session:
        await Factory(session).provider("Before")
    async with one_snapshot(database):
        async with writer.writing() as session:
            await Factory(session).provider("Meanwhile")
        for _ in range(2):
            assert [row.name for row in await database.rows(names)] == ["Before"]
            assert list((await database.columns(names, primary=True))[0]) == ["Before"]
    assert {row.name for row in await database.rows(names)} == {"Before", "Meanwhile"}
    await writer.close()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_an_export_keeps_few_pages_of_a_sqlite_file_in_memory(database: Database):
    async with one_snapshot(database):
        rows = await database._primary_pool.fetch("PRAGMA cache_size", ())
    # In KiB. A request's connection keeps 64 MiB, which an export that comes to each page once fills for nothing.
    assert [tuple(row) for row in rows] == [(-4096,)]
