"""A connection is lost during COMMIT: nobody knows the outcome, the answer says so, and a key finds it out."""

import asyncio
from pathlib import Path

import pytest

from tests.support.demo_server import Demo
from tests.support.http_server import serving
from tests.support.tcp_proxy import TcpProxy
from tests.system.faults.test_database_outage import CHANGE


@pytest.mark.parametrize("arrives", [True, False])
async def test_the_outcome_of_a_lost_commit_is_unknown_and_can_be_found_out(
    demo: Demo, tmp_path: Path, arrives: bool
) -> None:
    async with (
        TcpProxy(await demo.database_url("postgresql")) as proxy,
        serving(proxy.url, tmp_path) as running,
        running.signed_in("master.admin") as person,
    ):
        await person.data(CHANGE % "A first change")
        publisher = running.server.services.changes.publisher
        assert publisher is not None
        async with asyncio.timeout(30):
            # Its event is sealed in a transaction of its own, whose commit is not the one to lose.
            while not publisher.is_idle:
                await asyncio.sleep(0.02)
        person.http.headers["idempotency-key"] = f"lost-commit-{arrives}"
        proxy.cut_at(b"COMMIT", arrives)
        answer = await person.post(CHANGE % "Once")
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "OUTCOME_UNKNOWN"
        assert "Idempotency-Key" in error["message"]
        # The same request, the same key: one effect.
        again = [await person.data(CHANGE % "Once") for _ in range(2)]
        assert again[0] == again[1] and again[0]["employerCreate"]["errors"] == []
        found = await person.data('{ employers(search: "Once") { totalCount } }')
        assert found["employers"]["totalCount"] == 1


async def test_a_connection_that_is_lost_before_the_commit_is_an_outage(demo: Demo, tmp_path: Path) -> None:
    async with (
        TcpProxy(await demo.database_url("postgresql")) as proxy,
        serving(proxy.url, tmp_path) as running,
        running.signed_in("master.admin") as person,
    ):
        proxy.cut_at(b"INSERT INTO employer", True)
        answer = await person.post(CHANGE % "Never")
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        found = await person.data('{ employers(search: "Never") { totalCount } }')
        assert found["employers"]["totalCount"] == 0
