"""The demo for tests: made once a backend, copied in milliseconds, and served with its files."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from db.database import Database
from services.demo import build_demo
from services.storage.file_store import open_store
from tests.support.databases import Databases
from tests.support.http_server import RunningServer, serving


class Demo:
    """The demo's databases and the folder that holds its files, which nobody changes."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self._databases = databases
        self._folder = folder

    async def database_url(self, backend: str) -> str:
        """A demo database of its own."""
        return await self._databases.fresh(backend, self._build)

    async def copied(self, backend: str, folder: Path) -> str:
        """A demo database of its own whose files lie in `folder`, and may be changed."""
        url = await self.database_url(backend)
        shutil.copytree(self._folder / "files", folder / "files")
        return url

    @asynccontextmanager
    async def serving(self, backend: str, **environment: str) -> AsyncIterator[RunningServer]:
        """A server over a demo database of its own; `environment`: further settings."""
        async with serving(await self.database_url(backend), self._folder, **environment) as running:
            yield running

    async def _build(self, database: Database) -> None:
        await build_demo(database, open_store(self._folder / "files"))
