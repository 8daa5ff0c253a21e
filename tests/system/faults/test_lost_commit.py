"""A connection is lost during COMMIT: nobody knows the outcome, the answer says so, and a key finds it out."""

import asyncio
from pathlib import Path

import pytest

from tests.support.demo_server import Demo
from tests.support.http_server import RunningServer, serving
from tests.support.tcp_proxy import TcpProxy
from tests.system.faults.test_database_outage import CHANGE

ANNOUNCE = "mutation($input: FileUploadInput!) { fileUploadCreate(input: $input) { upload { fileId url } } }"


async def _is_sealed(running: RunningServer) -> None:
    """Waits until the events are sealed, in transactions of their own, whose commits are not the ones to lose."""
    publisher = running.server.services.changes.publisher
    assert publisher is not None
    async with asyncio.timeout(30):
        while not publisher.is_idle:
            await asyncio.sleep(0.02)


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
        await _is_sealed(running)
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


@pytest.mark.parametrize("arrives", [True, False])
async def test_an_upload_whose_commit_is_lost_is_there_once_it_was_sent_again(
    demo: Demo, tmp_path: Path, arrives: bool
) -> None:
    async with (
        TcpProxy(await demo.database_url("postgresql")) as proxy,
        serving(proxy.url, tmp_path) as running,
        running.signed_in("learner") as person,
    ):
        created = await person.data(ANNOUNCE, input={"name": "notes.txt", "contentType": "text/plain", "size": 6})
        upload = created["fileUploadCreate"]["upload"]
        await _is_sealed(running)
        proxy.cut_at(b"COMMIT", arrives)
        answer = await person.http.put(upload["url"], content=b"Brakes")
        assert answer.status_code == 503, answer.text
        assert "same link" in answer.json()["error"] and int(answer.headers["retry-after"]) > 0
        again = await person.http.put(upload["url"], content=b"Brakes")
        assert again.status_code == (200 if arrives else 201), again.text
        assert await person.download(upload["fileId"]) == b"Brakes"


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
