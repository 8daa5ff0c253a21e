"""The demo for tests: built once a run and backend, copied in milliseconds, and served with its files."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import update

from db.database import Database
from db.models.user import User
from services.demo import build_demo
from services.storage.file_store import open_store
from tests.support.client import PASSWORD
from tests.support.databases import Databases
from tests.support.http_server import RunningServer, serving
from tests.support.passwords import cheap_hash


class Demo:
    """The demo's databases. `folder`: for the files of servers that no test stops or kills."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self._databases = databases
        self._folder = folder

    async def database_url(self, backend: str) -> str:
        """Returns a demo database of its own. Its files are not there."""
        return (await self._copy(backend))[0]

    async def copied(self, backend: str, folder: Path) -> str:
        """Returns a demo database of its own, whose files are copied to `folder`."""
        url, files = await self._copy(backend)
        shutil.copytree(files, folder / "files")
        return url

    async def release(self, url: str) -> None:
        """Gives a database back that `database_url` or `copied` returned."""
        await self._databases.release(url)

    @asynccontextmanager
    async def serving(self, backend: str, **environment: str) -> AsyncIterator[RunningServer]:
        """A server over a demo database of its own. `environment`: further settings."""
        url, files = await self._copy(backend)
        folder = self._folder / backend
        if not folder.exists():
            shutil.copytree(files, folder / "files")
        async with serving(url, folder, **environment) as running:
            yield running
        await self._databases.release(url)

    async def _copy(self, backend: str) -> tuple[str, Path]:
        return await self._databases.fresh_with_value(backend, self._build)

    async def _build(self, database: Database) -> Path:
        """Builds the demo, and returns the folder of its files."""
        files = Path(mkdtemp(dir=self._databases.shared.path, prefix="demo-files-"))
        await build_demo(database, open_store(files))
        async with database.writing() as session:
            await session.execute(update(User).values(password_hash=cheap_hash(PASSWORD)))
        return files
