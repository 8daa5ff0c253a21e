"""Two server processes behind a proxy, replaced one after the other under load: not one request is lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.architecture import ROOT
from tests.support.databases import Databases
from tests.support.release import COUNT, PASSWORD, USERNAME, Load, install, next_version, release
from tests.support.reverse_proxies import HAPROXY, haproxy, small_proxy
from tests.support.server_process import STOPPED_BY_SIGTERM, ServerProcess

SETTINGS = {"WAYMARK_DRAIN_SECONDS": "5", "WAYMARK_LIMIT_BUDGET": "0"}
HAPROXY_MARKS = [pytest.mark.long, pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")]
PROXIES = [pytest.param(small_proxy, id="small"), pytest.param(haproxy, id="haproxy", marks=HAPROXY_MARKS)]


async def replace(servers: list[ServerProcess]) -> None:
    for server in servers:
        await asyncio.sleep(1)
        server.terminate()
        assert await server.stopped() == STOPPED_BY_SIGTERM
        await server.start()
        # The proxy sees it before the other one goes.
        await asyncio.sleep(2)


# Short forms: test_stop_and_kill.py stops one process under load, and tests/db/test_migrate.py and
# test_migration_fills.py serve both versions between the halves of a migration.
@pytest.mark.long
@pytest.mark.parametrize("proxy", PROXIES)
async def test_a_deploy_loses_no_request(databases: Databases, tmp_path: Path, proxy: Any) -> None:
    await under_load(databases, tmp_path, proxy, replace)


@pytest.mark.long
@pytest.mark.parametrize("proxy", PROXIES)
async def test_a_release_with_a_migration_loses_no_request(databases: Databases, tmp_path: Path, proxy: Any) -> None:
    newer = next_version(tmp_path / "next")
    await under_load(databases, tmp_path, proxy, lambda servers: release(servers, newer))


async def under_load(databases: Databases, folder: Path, proxy: Any, change: Any) -> None:
    """Changes two processes under load, and compares what was acknowledged with what is there."""
    url = await databases.fresh("postgresql")
    servers = [ServerProcess(url, folder, SETTINGS) for _ in range(2)]
    try:
        await install(ROOT, servers[0])
        for server in servers:
            await server.start()
        async with proxy([server.port for server in servers], folder) as address:
            # Each version also takes the refresh tokens of the other.
            load = Load(address, USERNAME, PASSWORD, refresh_seconds=0.5)
            await load.start()
            await change(servers)
            await load.stop()
        assert load.failed == []
        assert len(load.written) == load.sent / 2 > 20
        assert load.refreshed > 2 * load.clients
        async with servers[0].signed_in(USERNAME, PASSWORD) as admin:
            assert (await admin.data(COUNT))["employers"]["totalCount"] == len(load.written)
    finally:
        for server in servers:
            if server.process is not None and server.process.poll() is None:
                server.kill()
        await databases.release(url)
