"""A folder that all processes of one test run share, so that what is slow to make is made once a run."""

import asyncio
import fcntl
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


class SharedFolder:
    """`once(name, make)` returns the same value in every process; the first to ask makes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    async def once(self, name: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """Returns a copy of what `make` returned in the process that came first."""
        made = self.path / f"{name}.pickle"
        async with self.lock(name):
            if not made.exists():
                made.write_bytes(pickle.dumps(await make()))
        return pickle.loads(made.read_bytes())

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Holds a lock that one process at a time can have; the system releases it if the process dies."""
        with (self.path / f"{name}.lock").open("w") as file:
            # In a thread: servers may run in this event loop meanwhile.
            await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
            yield
