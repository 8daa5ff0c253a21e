"""kill -9 under load, as often as asked: each time the server starts again on what is left, and every promise is kept.

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
from tests.support.load_generator import Promised, Workers, check
from tests.support.server_process import ASKED_TO_STOP, server_process


async def kill_rounds(database_url: str, folder: Path, rounds: int, seed: int) -> Promised:
    """Runs the rounds on a demo; gives what was promised over all of them. Raises AssertionError with what is wrong."""
    pick, promised = random.Random(seed), Promised()
    async with server_process(
        database_url, folder, WAYMARK_LIMIT_BUDGET="0", WAYMARK_SMTP_URL="smtp://127.0.0.1:9"
    ) as server:
        for number in range(rounds):
            before = promised.count()
            workers = Workers(server, promised)
            await workers.start()
            # At least one promise a round, and then at any moment of the work.
            async with asyncio.timeout(60):
                while promised.count() == before:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(pick.uniform(0.1, 1.5))
            server.kill()
            await workers.finished()
            found = await check(database_url, folder, promised)
            assert not found, f"round {number + 1}: " + "\n".join(found)
            await server.start()
            left = list((folder / "files" / "incoming").iterdir())
            assert not left, f"round {number + 1}: half-written files are left: {left}"
            print(
                f"round {number + 1}: {promised.count() - before} promises kept ({promised.count()} so far), "
                f"{promised.unanswered} requests were cut short", flush=True,
            )  # fmt: skip
        server.terminate()
        assert await server.stopped() == ASKED_TO_STOP
    return promised


async def _main(rounds: int, backend: str, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="waymark-kill-") as place:
        databases = Databases(Path(place))
        try:
            demo, folder = Demo(databases, Path(place) / "demo"), Path(place) / "data"
            promised = await kill_rounds(await demo.copied(backend, folder), folder, rounds, seed)
        finally:
            await databases.close()
    print(
        f"{rounds} kills on {backend}: {len(promised.evidence)} pieces of evidence, {len(promised.signed)} signatures "
        f"and {len(promised.uploads)} uploads acknowledged, none lost, nothing half done, the audit trail whole."
    )


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=10)
    asked.add_argument("--database", choices=BACKENDS, default="sqlite")
    asked.add_argument("--seed", type=int, default=1)
    arguments = asked.parse_args()
    asyncio.run(_main(arguments.rounds, arguments.database, arguments.seed))
    sys.exit(0)
