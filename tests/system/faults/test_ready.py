"""/ready answers 200 only if the process can do its work: read, write, and receive notifications of changes."""

import asyncio
from pathlib import Path

import pytest

from db.database import Database
from db.migrate import migrate
from services.change_feed import listener as change_listener
from services.demo import build_demo
from services.storage.file_store import open_store
from tests.support.demo_server import Demo
from tests.support.http_server import serving
from tests.support.postgres_standby import pair
from tests.support.server_process import server_process
from tests.support.tcp_proxy import TcpProxy
from tests.system.faults.test_database_outage import CHANGE, QUERY, assert_unavailable, until_available, until_ready
from transport import health


@pytest.mark.long
async def test_a_standby_that_is_not_promoted_yet(tmp_path: Path) -> None:
    """The address leads to the standby: reads work, writes are 503, and everything works once it is promoted."""
    async with pair() as both:
        database = Database(both.url)
        await migrate(database)
        await build_demo(database, open_store(tmp_path / "files"))
        await database.close()
        await both.catch_up()
        async with TcpProxy(both.url) as proxy, server_process(proxy.url, tmp_path) as server:
            async with server.signed_in("master.admin") as person:
                await person.data(CHANGE % "Before")
                await asyncio.to_thread(both.stop, "primary")
                await proxy.lead_to(both.standby_url)
                assert (await until_available(person, QUERY))["data"]["learners"]["nodes"]
                for number in range(3):
                    assert_unavailable(await person.post(CHANGE % f"Never {number}"))
                ready = await person.http.get("/ready")
                assert (ready.status_code, ready.headers["retry-after"]) == (503, "5")
                assert ready.json()["status"] == "the database accepts no writes"
                await both.promote()
                await until_ready(person)
                assert (await until_available(person, CHANGE % "After"))["data"]["employerCreate"]["errors"] == []
                found = await person.data('{ employers(search: "Never") { totalCount } }')
                assert found["employers"]["totalCount"] == 0
            lines = [line for line in server.log() if line["event"] in ("unhandled_exception", "not_ready")]
            assert {line["event"] for line in lines} == {"not_ready"}, lines


async def test_a_database_that_was_made_read_only(demo: Demo, tmp_path: Path) -> None:
    url = await demo.copied("postgresql", tmp_path)
    async with serving(url, tmp_path) as running, running.signed_in("master.admin") as person:
        await _set_read_only(url, "on")
        assert_unavailable(await person.post(CHANGE % "Never"))
        ready = await person.http.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "the database accepts no writes")
        await _set_read_only(url, "off")
        await until_ready(person)
        await until_available(person, CHANGE % "Again")


async def _set_read_only(url: str, value: str) -> None:
    """Sets the database read-only or not, for sessions that begin from now on; ends those that there are."""
    database = Database(url)
    name = database.url.rsplit("/", 1)[1].split("?")[0]
    async with database.reading(primary=True) as connection:
        await connection.exec_driver_sql("SET default_transaction_read_only = off")
        await connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
        await connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    await database.close()


async def test_a_listener_that_hears_nothing(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads and writes work, but the process receives no notifications of changes."""
    monkeypatch.setattr(change_listener, "HEARTBEAT_SECONDS", 1.0)
    url = await demo.copied("postgresql", tmp_path)
    async with (
        TcpProxy(url) as proxy,
        serving(url, tmp_path, WAYMARK_LISTEN_URL=proxy.url) as running,
        running.signed_in("master.admin") as person,
    ):
        await until_ready(person)
        proxy.silence()
        async with asyncio.timeout(30):
            while (ready := await person.http.get("/ready")).status_code == 200:
                await asyncio.sleep(0.5)
        assert ready.json()["status"] == "the process receives no notifications of changes"
        assert (await person.post(QUERY)).status_code == 200
        await proxy.restore()
        await until_ready(person)


# What is shared is the answer, whatever the database.
@pytest.mark.parametrize(
    "backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True, scope="session"
)
async def test_one_check_serves_all_who_ask(demo: Demo, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = 0
    real = health.problem_of

    async def counted(database: Database, seconds: float) -> tuple[str, str] | None:
        nonlocal checks
        checks += 1
        return await real(database, seconds)

    monkeypatch.setattr(health, "FRESH_SECONDS", 60)
    async with demo.serving(backend) as running, running.anonymous() as person:
        await until_ready(person)
        monkeypatch.setattr(health, "problem_of", counted)
        running.server.health._checked_at = float("-inf")
        answers = await asyncio.gather(*(person.http.get("/ready") for _ in range(30)))
        assert {answer.status_code for answer in answers} == {200}
        assert checks == 1
