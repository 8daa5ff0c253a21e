"""The fixture of the authentication tests."""

from pathlib import Path

import pytest

from auth.passwords import hash_password
from db.database import Database
from domain.enums import Role
from resolvers.core.context import Client, Context
from tests.support.factories import Factory
from tests.support.scenarios.base import PASSWORD
from tests.support.viewers import services


@pytest.fixture
async def context(database: Database, tmp_path: Path) -> Context:
    """The context of a client that is not signed in. The user `ada` is an Assessor and an IQA."""
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider(disclaimer=None)
        hashed = await hash_password(PASSWORD)
        await factory.user(provider, "Ada", Role.ASSESSOR, Role.IQA, username="ada", password_hash=hashed)
    return Context(services(database, tmp_path), client=Client(address="192.0.2.1"))
