"""Releases this version over an older one, under load, with two processes behind HAProxy; fails if a request is lost.

python -m tests.system.faults.rolling_release [--from COMMIT]
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.support.databases import Databases
from tests.support.release import COUNT, PASSWORD, USERNAME, Load, install, next_version, release, released_version
from tests.support.reverse_proxies import HAPROXY, haproxy, small_proxy
from tests.support.server_process import ServerProcess

# The commit of version 0.1.0.
FIRST_RELEASE = "3e51f5d"
SETTINGS = {"WAYMARK_DRAIN_SECONDS": "5", "WAYMARK_LIMIT_BUDGET": "0"}


async def run(commit: str, folder: Path) -> int:
    """Returns the exit status: 0 if no request failed and no acknowledged write is missing."""
    older, newer = released_version(folder / "older", commit), next_version(folder / "newer")
    databases = Databases(folder)
    # An empty database: the older version makes its tables.
    servers = [ServerProcess(await databases._create("postgresql", None), folder, SETTINGS)]
    servers.append(ServerProcess(servers[0].environment["WAYMARK_DATABASE_URL"], folder, SETTINGS))
    try:
        await install(older, servers[0])
        for server in servers:
            server.root = older
            await server.start()
        proxy = haproxy if HAPROXY else small_proxy
        async with proxy([server.port for server in servers], folder) as address:
            load = Load(address, USERNAME, PASSWORD)
            await load.start()
            await asyncio.sleep(2)
            await release(servers, newer, lambda line: print(f"{load.sent:6} requests: {line.strip()}", flush=True))
            await asyncio.sleep(2)
            await load.stop()
        async with servers[0].signed_in(USERNAME, PASSWORD) as admin:
            kept = (await admin.data(COUNT))["employers"]["totalCount"]
    finally:
        for server in servers:
            if server.process is not None and server.process.poll() is None:
                server.kill()
        await databases.close()
    lost = len(load.written) - kept
    print(f"{load.sent} requests, {len(load.failed)} failed; {len(load.written)} writes acknowledged, {lost} lost.")
    print("\n".join(load.failed[:10]))
    return 1 if load.failed or lost else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="commit", default=FIRST_RELEASE, help="the commit to release over")
    with tempfile.TemporaryDirectory(prefix="waymark-release-") as place:
        sys.exit(asyncio.run(run(parser.parse_args().commit, Path(place))))
