"""Kills the server (SIGKILL) under load and starts it again, several times: no acknowledged write may be lost.

python -m tests.system.faults.kill_rounds --rounds 10 [--database postgresql]
"""

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.support.databases import BACKENDS, Databases
from tests.support.demo_server import Demo
from tests.support.load_generator import Acknowledged, LoadGenerator, find_losses
from tests.support.server_process import STOPPED_BY_SIGTERM, server_process


async def kill_rounds(database_url: str, folder: Path, rounds: int, seed: int) -> Acknowledged:
    """Runs the rounds and returns the acknowledged writes. Raises AssertionError if one is lost or partial."""
    pick, acknowledged = random.Random(seed), Acknowledged()
    async with server_process(
        database_url, folder, WAYMARK_LIMIT_BUDGET="0", WAYMARK_SMTP_URL="smtp://127.0.0.1:9"
    ) as server:
        for number in range(rounds):
            before = acknowledged.count()
            load = LoadGenerator(server, acknowledged)
            await load.start()
            # At least one acknowledged write in a round, then a kill at a random moment.
            async with asyncio.timeout(60):
                while acknowledged.count() == before:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(pick.uniform(0.1, 1.5))
            server.kill()
            await load.finished()
            found = await find_losses(database_url, folder, acknowledged)
            assert not found, f"round {number + 1}: " + "\n".join(found)
            await server.start()
            left = list((folder / "files" / "incoming").iterdir())
            assert not left, f"round {number + 1}: partial files remain: {left}"
            print(
                f"round {number + 1}: {acknowledged.count() - before} writes acknowledged "
                f"({acknowledged.count()} so far), "
                f"{acknowledged.unanswered} requests without a response", flush=True,
            )  # fmt: skip
        server.terminate()
        assert await server.stopped() == STOPPED_BY_SIGTERM
    return acknowledged


async def _main(rounds: int, backend: str, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="waymark-kill-") as place:
        databases = Databases(Path(place))
        try:
            demo, folder = Demo(databases, Path(place) / "demo"), Path(place) / "data"
            acknowledged = await kill_rounds(await demo.copied(backend, folder), folder, rounds, seed)
        finally:
            await databases.close()
    print(
        f"{rounds} kills on {backend}: {len(acknowledged.evidence)} evidence, {len(acknowledged.signed)} signatures "
        f"and {len(acknowledged.uploads)} uploads acknowledged; none lost, none partial, the audit chain is valid."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--database", choices=BACKENDS, default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.rounds, arguments.database, arguments.seed))
    sys.exit(0)
