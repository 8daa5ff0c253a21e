"""Wrong access keys on a real server: refused after 60 in a minute from one network, wherever keys are taken."""

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator

import httpx2
import pytest

from auth.wrong_keys import MAX_WRONG_KEYS
from domain import clock
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, RunningServer
from tests.support.socket_client import connected

ADDRESSES = ("/graphql?query={viewer{role}}", "/reports/site_comparison.csv", "/reports/odata/", "/reports/exports/x")
JSON = {"accept": "application/json", "graphql-require-preflight": "1"}


@pytest.fixture(scope="module")
async def running(demo: Demo, backend: str) -> AsyncIterator[RunningServer]:
    """A server of the module's own, since the counts are those of a process."""
    async with demo.serving(backend, WAYMARK_LIMIT_REFUSAL_SECONDS="0") as running:
        yield running


async def a_key(running: RunningServer) -> tuple[str, str]:
    """Returns the secret of a new key and its id."""
    expires = (clock.now() + dt.timedelta(days=1)).isoformat()
    async with running.signed_in("master.admin") as admin:
        given = {"name": "Key", "expiresAt": expires, "password": PASSWORD}
        made = await admin.payload("accessKeyCreate", input=given)
    return made["secret"], made["accessKey"]["id"]


async def get(http: httpx2.AsyncClient, path: str, secret: str, network: str, basic: bool = False) -> httpx2.Response:
    value = f"Basic {base64.b64encode(f'x:{secret}'.encode()).decode()}" if basic else f"Bearer {secret}"
    return await http.get(path, headers={**JSON, "authorization": value, "x-forwarded-for": network})


async def test_wrong_keys_are_refused_and_right_ones_never(running: RunningServer) -> None:
    secret, key = await a_key(running)
    async with httpx2.AsyncClient(base_url=running.address, timeout=60) as http:

        async def wrong(number: int) -> httpx2.Response:
            path = ADDRESSES[number % len(ADDRESSES)]
            # Of one /64 network.
            return await get(http, path, f"wmk_wrong{number}", f"2001:db8:0:1::{number + 1:x}", number % 2 == 0)

        statuses = [answer.status_code for answer in await asyncio.gather(*map(wrong, range(MAX_WRONG_KEYS + 20)))]
        assert (statuses.count(401), statuses.count(429)) == (MAX_WRONG_KEYS, 20)
        for path in ADDRESSES:
            refused = await get(http, path, "wmk_wrong", "2001:db8:0:1::1")
            assert refused.status_code == 429 and "TOO_MANY_ATTEMPTS" in refused.text
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert (await get(http, path, "wmk_wrong", "2001:db8:0:2::1")).status_code == 401
            # Bulk exports: there is none with this id.
            assert (await get(http, path, secret, "2001:db8:0:1::1")).status_code in (200, 404)
        async with running.signed_in("master.admin") as admin:
            await admin.mutate("accessKeyRevoke", id=key)
        assert (await get(http, ADDRESSES[0], secret, "2001:db8:0:1::1")).status_code == 429


async def test_sockets_are_closed_and_people_still_sign_in(running: RunningServer) -> None:
    async with httpx2.AsyncClient(base_url=running.address, timeout=60) as http:
        for number in range(MAX_WRONG_KEYS):
            await get(http, ADDRESSES[0], f"wmk_wrong{number}", "127.0.0.1")
        assert (await get(http, ADDRESSES[0], "wmk_wrong", "127.0.0.1")).status_code == 429
    init = {"type": "connection_init", "payload": {"authorization": "Bearer wmk_wrong"}}
    async with connected(running.address.rpartition(":")[2], init=None) as socket:
        await socket.send(init)
        assert await socket.closed() == (4403, "Forbidden")
    async with running.signed_in("learner") as learner:
        assert (await learner.data("{ viewer { role } }"))["viewer"]["role"] == "LEARNER"
