"""Fixtures of the database tests."""

from collections.abc import AsyncIterator

import pytest

from db.database import Database
from tests.support.demo_server import Demo


@pytest.fixture
async def demo_database(demo: Demo, backend: str) -> AsyncIterator[Database]:
    """An open database with the demo's content, on each backend."""
    database = Database(await demo.database_url(backend))
    yield database
    await database.close()


@pytest.fixture
async def demo_postgres(demo: Demo) -> AsyncIterator[Database]:
    """An open PostgreSQL database with the demo's content and at most two connections for reads."""
    database = Database(await demo.database_url("postgresql"), pool_size=2)
    yield database
    await database.close()
