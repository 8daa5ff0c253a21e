"""SIGTERM and SIGKILL under load: every acknowledged write is in the database, and no write is partial."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from tests.support.demo_server import Demo
from tests.support.load_generator import Acknowledged, LoadGenerator, find_losses
from tests.support.server_process import STOPPED_BY_SIGTERM, ServerProcess, server_process
from tests.system.faults.kill_rounds import kill_rounds


async def test_a_kill_loses_no_acknowledged_write(demo: Demo, backend: str, tmp_path: Path) -> None:
    """One kill; `scripts/kill-rounds` runs ten."""
    acknowledged = await kill_rounds(await demo.copied(backend, tmp_path), tmp_path, rounds=1, seed=7)
    assert acknowledged.uploads and acknowledged.wrong == []


# A stop waits for requests, whatever the database; a kill is another matter on each.
@pytest.mark.parametrize(
    "backend", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True, scope="session"
)
async def test_a_stop_under_load_finishes_running_requests(demo: Demo, backend: str, tmp_path: Path) -> None:
    url, acknowledged = await demo.copied(backend, tmp_path), Acknowledged()
    async with server_process(url, tmp_path, WAYMARK_LIMIT_BUDGET="0") as server:
        load = LoadGenerator(server, acknowledged)
        await load.start()
        reading = asyncio.create_task(_read_until_disconnected(server, acknowledged))
        async with asyncio.timeout(60):
            while not (acknowledged.evidence and acknowledged.signed):
                await asyncio.sleep(0.01)
        server.terminate()
        await load.finished()
        answered = await reading
        assert await server.stopped() == STOPPED_BY_SIGTERM
        assert answered > 0
        events_logged = [line.get("event") for line in server.log()]
        assert "stopping" in events_logged and "unhandled_exception" not in events_logged
    # Every response was complete and correct.
    assert acknowledged.wrong == []
    assert await find_losses(url, tmp_path, acknowledged) == []


async def _read_until_disconnected(server: ServerProcess, acknowledged: Acknowledged) -> int:
    """Sends queries until the server closes the connection. Returns the number of responses."""
    answered = 0
    async with server.signed_in("assessor") as assessor:
        while True:
            try:
                response = await assessor.post("{ learners(first: 20) { nodes { id name aims { title } } } }")
            except httpx2.TransportError:
                return answered
            answered += 1
            if response.status_code != 200 or "errors" in response.json():
                acknowledged.wrong.append(response.text[:300])


async def test_a_stop_ends_streams_and_reports_not_ready(demo: Demo, tmp_path: Path) -> None:
    """While the server drains, /ready returns 503, so the proxy uses another server; requests still succeed."""
    url = await demo.copied("sqlite", tmp_path)
    async with (
        server_process(url, tmp_path, WAYMARK_DRAIN_SECONDS="2") as server,
        server.signed_in("employer.manager") as manager,
        server.anonymous() as proxy,
    ):
        body = {"query": "subscription { kpisChanged { learnerCount } }"}
        headers = {"accept": "text/event-stream"}
        async with manager.http.stream("POST", "/graphql", json=body, headers=headers) as stream:
            events = stream.aiter_lines()
            async with asyncio.timeout(30):
                async for line in events:
                    if line.startswith("data: {"):
                        break
            server.terminate()
            async with asyncio.timeout(30):
                rest = [line async for line in events]
            assert not any('"errors"' in line for line in rest)
        ready = await proxy.http.get("/ready")
        assert (ready.status_code, ready.json()) == (503, {"status": "stopping"})
        assert "errors" not in await proxy.response("{ __typename }")
        assert await server.stopped() == STOPPED_BY_SIGTERM


async def test_partial_files_are_deleted_at_the_start_after_a_kill(demo: Demo, tmp_path: Path) -> None:
    """After a kill during a large upload: the next start deletes the partial file, and the upload can be repeated."""
    url = await demo.copied("sqlite", tmp_path)
    async with server_process(url, tmp_path) as server:
        async with server.signed_in("learner") as ada:
            made = await ada.data(
                'mutation { fileUploadCreate(input: { name: "film.txt", contentType: "text/plain", size: 50000000 }) '
                "{ upload { fileId url } } }"
            )
            place = made["fileUploadCreate"]["upload"]
            incoming = tmp_path / "files" / "incoming"

            async def slowly() -> object:
                for _ in range(50):
                    yield b"text\n" * 200_000
                    await asyncio.sleep(0.05)

            sending = asyncio.create_task(ada.http.put(place["url"], content=slowly()))
            async with asyncio.timeout(30):
                while not any(path.stat().st_size for path in incoming.iterdir()):
                    await asyncio.sleep(0.02)
            server.kill()
            await asyncio.gather(sending, return_exceptions=True)
        assert list(incoming.iterdir()) != []
        await server.start()
        assert list(incoming.iterdir()) == []
        started = [line for line in server.log() if line.get("event") == "started"]
        assert [line["swept"] for line in started] == [0, 1]
        async with server.signed_in("learner") as ada:
            whole = await ada.http.put(place["url"], content=b"text\n" * 10_000_000)
            assert whole.status_code == 201, whole.text
    assert whole.json()["size"] == 50_000_000
