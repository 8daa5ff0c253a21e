"""The database stops and returns, or has no free connection: 503 with Retry-After, no restart, no leak."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from db.database import Database
from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer, serving
from tests.support.tcp_proxy import TcpProxy

QUERY = "{ learners(first: 2) { nodes { id name aims { title } } } }"
CHANGE = 'mutation { employerCreate(input: { name: "%s" }) { employer { id } errors { code } } }'


def assert_unavailable(response: httpx2.Response) -> None:
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) > 0
    body = response.json()
    assert "data" not in body
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    # The message names no component behind the API.
    assert not any(
        word in response.text.lower() for word in ("postgres", "asyncpg", "sqlalchemy", "127.0.0.1", "traceback")
    )


async def connections_in_use(running: RunningServer) -> int:
    """Returns how many connections of all pools are in use."""
    return sum(pool.in_use for pool in running.server.services.database.pool_counts().values())


async def until_available(person: HttpClient, query: str = QUERY) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while (response := await person.post(query)).status_code == 503:
            await asyncio.sleep(0.1)
    assert response.status_code == 200, response.text
    return response.json()


async def until_ready(person: HttpClient) -> None:
    async with asyncio.timeout(30):
        while (await person.http.get("/ready")).status_code != 200:
            await asyncio.sleep(0.2)


async def test_the_database_stops_and_returns(demo: Demo, tmp_path: Path) -> None:
    async with (
        TcpProxy(await demo.database_url("postgresql")) as proxy,
        serving(proxy.url, tmp_path) as running,
        running.signed_in("master.admin") as person,
    ):
        before = await person.response(QUERY)
        for round_ in range(3):
            # Some requests run when the database stops.
            running_requests = [asyncio.create_task(person.post(QUERY)) for _ in range(20)]
            await asyncio.sleep(0.02 * round_)
            await proxy.disconnect()
            for response in await asyncio.gather(*running_requests):
                assert response.status_code == 200 or assert_unavailable(response) is None
            assert_unavailable(await person.post(QUERY))
            assert_unavailable(await person.post(CHANGE % "Never"))
            assert (await person.http.get("/health")).status_code == 200
            ready = await person.http.get("/ready")
            assert (ready.status_code, ready.headers["retry-after"]) == (503, "5")
            await proxy.restore()
            assert (await until_available(person))["data"] == before["data"]
            await until_ready(person)
            made = await until_available(person, CHANGE % f"Site {round_}")
            assert made["data"]["employerCreate"]["errors"] == []
            # What seals the audit event of the change may use one for a moment.
            async with asyncio.timeout(30):
                while await connections_in_use(running):
                    await asyncio.sleep(0.02)
        found = await person.data("{ employers(first: 100) { nodes { name } } }")
        names = [one["name"] for one in found["employers"]["nodes"]]
        assert "Never" not in names and {"Site 0", "Site 1", "Site 2"} <= set(names)


async def test_a_subscription_continues_when_the_database_returns(demo: Demo, tmp_path: Path) -> None:
    """The listener for changes connects again, and subscribers receive the changes of the outage."""
    query = "subscription { kpisChanged { learnerCount } }"
    url = await demo.database_url("postgresql")
    direct = Database(url)
    async with (
        TcpProxy(url) as proxy,
        serving(proxy.url, tmp_path) as running,
        running.signed_in("employer.manager") as manager,
    ):
        headers = {"accept": "text/event-stream", "content-type": "application/json"}
        async with manager.http.stream(
            "POST", "/graphql", json={"query": query}, headers=headers, timeout=60
        ) as stream:
            events = stream.aiter_lines()

            async def next_event() -> str:
                async for line in events:
                    if line.startswith("data: {"):
                        return line
                raise AssertionError("the stream ended")

            async with asyncio.timeout(30):
                first = await next_event()
            await proxy.disconnect()
            async with direct.writing() as session:
                await session.execute(
                    text(
                        "delete from manager_allocation where learner_id in (select min(learner_id) from "
                        "manager_allocation a join user_account u on u.id = user_id "
                        "where username = 'employer.manager')"
                    )
                )
            await proxy.restore()
            async with asyncio.timeout(30):
                second = await next_event()
            assert "learnerCount" in second and second != first
    await direct.close()


async def test_without_a_free_connection_the_response_is_503(demo: Demo, tmp_path: Path) -> None:
    """The connection waits for a lock of another session: every request gets 503, and none once the lock is free."""
    url = await demo.database_url("postgresql")
    holder = Database(url)
    async with serving(url, tmp_path, WAYMARK_POOL_SIZE="1") as running, running.signed_in("master.admin") as person:
        async with holder.writing() as session:
            await session.execute(text("lock table learner in access exclusive mode"))
            # One waits for the lock as long as the others wait for its connection.
            for response in await asyncio.gather(*(person.post(QUERY) for _ in range(6))):
                assert_unavailable(response)
            waiting = asyncio.create_task(person.post(QUERY))
            finished, _ = await asyncio.wait([waiting], timeout=1)
            assert not finished
        assert (await waiting).status_code == 200
        assert "errors" not in await person.response(QUERY)
        async with asyncio.timeout(30):
            # What runs beside requests uses a connection at times too.
            while await connections_in_use(running):
                await asyncio.sleep(0.05)
    await holder.close()


@pytest.mark.parametrize("number", [30])
async def test_cancelled_requests_release_their_connections(demo: Demo, tmp_path: Path, number: int) -> None:
    async with (
        serving(await demo.database_url("postgresql"), tmp_path) as running,
        running.signed_in("master.admin") as person,
    ):
        for _ in range(number):
            task = asyncio.create_task(person.post(QUERY))
            await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert "errors" not in await person.response(QUERY)
        async with asyncio.timeout(30):
            while await connections_in_use(running):
                await asyncio.sleep(0.05)
