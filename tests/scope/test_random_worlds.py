"""In worlds left to chance, each role reaches by any path what the table says; `scripts/random-worlds` asks of more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.engine import Database
from tests.databases import Databases
from tests.scope.chance import look_at
from tests.scope.random_worlds import random_world

WORLDS = {"sqlite": 6, "postgresql": 2}


@pytest.fixture(scope="module")
async def empty_database(databases: Databases, backend: str) -> AsyncIterator[Database]:
    url = await databases.fresh(backend)
    database = Database(url)
    yield database
    await database.close()
    await databases.drop(url)


async def test_each_role_reaches_what_the_table_says(empty_database: Database, backend: str, tmp_path: Path) -> None:
    for seed in range(WORLDS[backend]):
        assert await look_at(seed, empty_database, tmp_path) == []


def test_a_seed_is_a_world() -> None:
    one, same, other = random_world(7), random_world(7), random_world(8)
    assert [len(rows) for rows in one.values()] == [len(rows) for rows in same.values()]
    assert one["aim"][0]["assessor_id"] == same["aim"][0]["assessor_id"]
    assert one["file"] != other["file"]
