"""Each role reaches what the oracle says in a few random data sets; `scripts/random-rows` checks a thousand."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from db.database import Database
from domain.enums import Role
from tests.authorization.check_random_rows import check_rows
from tests.authorization.random_rows import random_rows
from tests.support.databases import Databases


@pytest.fixture(scope="module")
async def empty_database(databases: Databases, backend: str) -> AsyncIterator[Database]:
    url = await databases.fresh(backend)
    database = Database(url)
    yield database
    await database.close()
    await databases.release(url)


@pytest.mark.parametrize(
    ("backend", "seeds", "roles"),
    [
        ("postgresql", [2], (Role.ASSESSOR, Role.EMPLOYER_OVERVIEW)),
        pytest.param("sqlite", range(6), tuple(Role), marks=pytest.mark.long),
        pytest.param("postgresql", range(3), tuple(Role), marks=pytest.mark.long),
    ],
    indirect=["backend"], scope="session", ids=["short", "sqlite", "postgresql"],
)  # fmt: skip
async def test_each_role_reaches_what_the_oracle_says(
    empty_database: Database, seeds: Sequence[int], roles: Sequence[Role], tmp_path: Path
) -> None:
    for seed in seeds:
        assert await check_rows(seed, empty_database, tmp_path, roles) == []


def test_the_same_seed_gives_the_same_rows() -> None:
    one, same, other = random_rows(7), random_rows(7), random_rows(8)
    assert [len(rows) for rows in one.values()] == [len(rows) for rows in same.values()]
    assert one["aim"][0]["assessor_id"] == same["aim"][0]["assessor_id"]
    assert one["file"] != other["file"]
