"""SIGTERM under load, and kill -9 under load: what was acknowledged is there, and nothing is there by half."""

import asyncio
from pathlib import Path

import httpx2

from tests.support.demo_server import Demo
from tests.support.load_generator import Promised, Workers, check
from tests.support.server_process import ASKED_TO_STOP, ServerProcess, server_process
from tests.system.faults.kill_rounds import kill_rounds


async def test_a_kill_loses_nothing_that_was_acknowledged(demo: Demo, backend: str, tmp_path: Path) -> None:
    """One kill; scripts/kill-rounds makes ten."""
    promised = await kill_rounds(await demo.copied(backend, tmp_path), tmp_path, rounds=1, seed=7)
    assert promised.uploads and promised.wrong == []


async def test_a_stop_under_load_finishes_what_runs(demo: Demo, backend: str, tmp_path: Path) -> None:
    url, promised = await demo.copied(backend, tmp_path), Promised()
    async with server_process(url, tmp_path, WAYMARK_LIMIT_BUDGET="0") as server:
        workers = Workers(server, promised)
        await workers.start()
        reading = asyncio.create_task(_read_on(server, promised))
        async with asyncio.timeout(60):
            while not (promised.evidence and promised.signed):
                await asyncio.sleep(0.01)
        server.terminate()
        await workers.finished()
        answered = await reading
        assert await server.stopped() == ASKED_TO_STOP
        assert answered > 0
        words = [line.get("event") for line in server.log()]
        assert "stopping" in words and "unhandled_exception" not in words
    # Every answer that was begun was right and whole.
    assert promised.wrong == []
    assert await check(url, tmp_path, promised) == []


async def _read_on(server: ServerProcess, promised: Promised) -> int:
    """Asks without a pause until nobody listens; gives how many answers came."""
    answered = 0
    async with server.signed_in("assessor") as assessor:
        while True:
            try:
                response = await assessor.post("{ learners(first: 20) { nodes { id name aims { title } } } }")
            except httpx2.TransportError:
                return answered
            answered += 1
            if response.status_code != 200 or "errors" in response.json():
                promised.wrong.append(response.text[:300])


async def test_a_stop_ends_streams_and_says_so_first(demo: Demo, tmp_path: Path) -> None:
    """With a drain, /ready tells the proxy to go elsewhere while everybody is still served."""
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
        assert await server.stopped() == ASKED_TO_STOP


async def test_a_killed_server_leaves_no_half_written_file(demo: Demo, tmp_path: Path) -> None:
    """Killed in the middle of a large upload: what came is swept at the next start, and the file is still awaited."""
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
