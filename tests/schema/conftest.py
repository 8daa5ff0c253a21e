"""What tests of the graph share: the world of `tests/support/places.py`, on both executors and both databases."""

from collections.abc import AsyncIterator

import pytest

from db.database import Database
from tests.support.databases import Databases
from tests.support.places import Asker, fill


@pytest.fixture(scope="module", params=["compiled", "generic"])
async def ask(
    request: pytest.FixtureRequest, databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Asker]:
    """Runs operations as whoever holds a role, in a world that nobody changes."""
    url = await databases.fresh(backend, fill)
    database = Database(url)
    yield await Asker.made(request.param, database, tmp_path_factory.mktemp("services"))
    await database.close()
    await databases.release(url)
