"""Sends every hostile value in every argument of every field, and every hostile header, path and body."""

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from tests.support.databases import BACKENDS, Databases
from tests.support.demo_server import Demo
from tests.support.http_server import serving
from tests.system.fuzz.fuzzing import NO_LIMITS, Fuzzer, known_ids, problem, refused_guess
from tests.system.fuzz.raw_requests import requests, send

ANYBODY = "nobody"


async def run(backend: str, usernames: list[str], every: int) -> bool:
    """Prints what is wrong with the answers to each user; returns whether nothing is."""
    good = True
    with tempfile.TemporaryDirectory(prefix="waymark-fuzz-") as place:
        databases = Databases(Path(place))
        try:
            demo = Demo(databases, Path(place) / "demo")
            for username in usernames:
                url = await demo.database_url(backend)
                async with AsyncExitStack() as stack:
                    running = await stack.enter_async_context(serving(url, Path(place) / username, **NO_LIMITS))
                    person = running.anonymous() if username == ANYBODY else running.signed_in(username)
                    client = await stack.enter_async_context(person)
                    fuzzer = Fuzzer(client.http, await known_ids(url), every)
                    await fuzzer.run()
                    port = int(running.address.rpartition(":")[2])
                    for what, request in requests(client.tokens.get("accessToken")):
                        fuzzer.sent += 1
                        status, text = await send(port, request)
                        if not refused_guess(what, status) and (found := problem(status, text)):
                            fuzzer.problems.append(f"{what}: {found}")
                print(f"{backend}, {username}: {fuzzer.sent} requests, {len(fuzzer.problems)} problems", flush=True)
                print(*fuzzer.problems, sep="\n", end="\n" if fuzzer.problems else "")
                good &= not fuzzer.problems
        finally:
            await databases.close()
    return good


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("username", nargs="*", help=f"users of the demo; {ANYBODY} for no login")
    asked.add_argument("--database", choices=BACKENDS, default="sqlite")
    asked.add_argument("--every", type=int, default=1, help="send only each so-manyeth value")
    arguments = asked.parse_args()
    users = arguments.username or [ANYBODY, "master.admin", "assessor", "learner"]
    sys.exit(0 if asyncio.run(run(arguments.database, users, arguments.every)) else 1)
