"""The doctor examines notifications, replicas and poolers; the replica itself is in tests/system/scaling."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import make_url

from db.database import Database
from services.doctor.finding import Status
from tests.services.doctor.conftest import Installation
from tests.support.server_process import free_port

POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
Setter = Callable[[str], Awaitable[None]]


@pytest.fixture
async def set_for_database(installation: Installation) -> AsyncIterator[Setter]:
    """Sets something for the connections that are opened from now on, until the test ends: others use the database."""
    url = make_url(installation.environment["WAYMARK_DATABASE_URL"])

    async def alter(change: str) -> None:
        database = Database(url.set(database="postgres").render_as_string(hide_password=False))
        async with database.reading(primary=True) as connection:
            await connection.exec_driver_sql(f'ALTER DATABASE "{url.database}" {change}')
        await database.close()

    yield lambda setting: alter(f"SET {setting}")
    await alter("RESET ALL")


@POSTGRESQL
async def test_notifications_that_do_not_arrive(installation: Installation):
    assert (await installation.examine())["listen"].status is Status.OK
    url = make_url(installation.environment["WAYMARK_DATABASE_URL"])
    elsewhere = url.set(database="postgres").render_as_string(hide_password=False)
    for listen_url in (elsewhere, f"postgresql://waymark:secret@127.0.0.1:{free_port()}/waymark"):
        found = (await installation.examine(WAYMARK_LISTEN_URL=listen_url))["listen"]
        assert found.status is Status.PROBLEM and "same database" in found.message and "secret" not in found.message


@POSTGRESQL
async def test_a_replica_that_is_none(installation: Installation):
    assert "replica" not in await installation.examine()
    url = installation.environment["WAYMARK_DATABASE_URL"]
    found = (await installation.examine(WAYMARK_READ_DATABASE_URL=url))["replica"]
    assert found.status is Status.WARNING and "leads to the primary" in found.message
    away = f"postgresql://waymark:secret@127.0.0.1:{free_port()}/waymark"
    found = (await installation.examine(WAYMARK_READ_DATABASE_URL=away))["replica"]
    assert found.status is Status.WARNING and "does not follow" in found.message and "secret" not in found.message


@POSTGRESQL
async def test_a_database_that_accepts_no_writes(installation: Installation, set_for_database: Setter):
    assert (await installation.examine())["writes"].status is Status.OK
    await set_for_database("default_transaction_read_only = on")
    found = (await installation.examine())["writes"]
    assert found.status is Status.PROBLEM and "read-only" in found.message


@POSTGRESQL
async def test_what_a_pooler_does_not_pass_on(installation: Installation, set_for_database: Setter):
    assert "pooler" not in await installation.examine()
    found = (await installation.examine(WAYMARK_POOLER="session"))["pooler"]
    assert found.status is Status.WARNING and "statement_timeout, lock_timeout, idle_in" in found.message
    values = {
        "statement_timeout": "8s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",
    }
    for name, value in values.items():
        await set_for_database(f"{name} = '{value}'")
    assert (await installation.examine(WAYMARK_POOLER="session"))["pooler"].status is Status.OK
