"""In worlds left to chance, each role reaches by any path what the table says; `scripts/random-worlds` asks of more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.database import Database
from tests.authorization.random_rows import random_world
from tests.authorization.random_worlds import check_world
from tests.support.databases import Databases

WORLDS = {"sqlite": 6, "postgresql": 2}


@pytest.fixture(scope="module")
async def empty_database(databases: Databases, backend: str) -> AsyncIterator[Database]:
    url = await databases.fresh(backend)
    database = Database(url)
    yield database
    await database.close()
    await databases.release(url)


async def test_each_role_reaches_what_the_table_says(empty_database: Database, backend: str, tmp_path: Path) -> None:
    for seed in range(WORLDS[backend]):
        assert await check_world(seed, empty_database, tmp_path) == []


def test_a_seed_is_a_world() -> None:
    one, same, other = random_world(7), random_world(7), random_world(8)
    assert [len(rows) for rows in one.values()] == [len(rows) for rows in same.values()]
    assert one["aim"][0]["assessor_id"] == same["aim"][0]["assessor_id"]
    assert one["file"] != other["file"]
