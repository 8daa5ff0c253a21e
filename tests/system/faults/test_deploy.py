"""Two server processes behind a proxy are replaced one after the other under load: no request fails."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.reverse_proxies import HAPROXY, haproxy, small_proxy
from tests.support.server_process import STOPPED_BY_SIGTERM, server_process

QUERY = "{ learners(first: 5) { nodes { id name } } }"
CREATE = 'mutation { employerCreate(input: { name: "%s" }) { employer { id } errors { code } } }'


@pytest.mark.parametrize(
    "proxy",
    [
        pytest.param(small_proxy, id="small"),
        pytest.param(
            haproxy, id="haproxy", marks=pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")
        ),
    ],
)
async def test_a_deploy_loses_no_request(demo: Demo, tmp_path: Path, proxy: Any) -> None:
    url = await demo.copied("postgresql", tmp_path)
    settings = {"WAYMARK_DRAIN_SECONDS": "5", "WAYMARK_LIMIT_BUDGET": "0"}
    async with (
        server_process(url, tmp_path, **settings) as first,
        server_process(url, tmp_path, **settings) as second,
        proxy([first.port, second.port], tmp_path) as address,
    ):
        made: list[str] = []
        wrong: list[str] = []
        stop = asyncio.Event()

        async def work(number: int) -> int:
            """Reads and writes in turn over kept-alive connections until `stop` is set."""
            done = 0
            async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
                person = HttpClient(client)
                await person.sign_in("master.admin")
                while not stop.is_set():
                    name = f"Site {number}-{done}"
                    for query in (QUERY, CREATE % name):
                        try:
                            response = await person.post(query)
                        except httpx2.TransportError as error:
                            wrong.append(repr(error))
                            continue
                        if response.status_code != 200 or "errors" in response.json():
                            wrong.append(f"{response.status_code} {response.text[:200]}")
                        elif query != QUERY:
                            made.append(name)
                    done += 1
                    # A few hundred requests a second are enough and leave the proxy time to run.
                    await asyncio.sleep(0.02)
            return done

        working = [asyncio.create_task(work(number)) for number in range(4)]
        for server in (first, second):
            await asyncio.sleep(1)
            server.terminate()
            assert await server.stopped() == STOPPED_BY_SIGTERM
            await server.start()
            # The proxy detects the new process before the other one stops.
            await asyncio.sleep(2)
        stop.set()
        rounds = await asyncio.gather(*working)
        assert wrong == []
        assert all(rounds) and len(made) == sum(rounds)
        async with first.signed_in("master.admin") as master:
            found: list[str] = []
            after = None
            while True:
                page = (await master.data(
                    "query($after: String) { employers(search: \"Site \", first: 100, after: $after) { nodes { name } "
                    "pageInfo { hasNextPage endCursor } } }", after=after,
                ))["employers"]  # fmt: skip
                found += [one["name"] for one in page["nodes"]]
                if not page["pageInfo"]["hasNextPage"]:
                    break
                after = page["pageInfo"]["endCursor"]
        assert set(made) <= set(found)
