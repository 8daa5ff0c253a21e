"""Databases for tests, on SQLite and on PostgreSQL: each made once as a template, then copied in milliseconds.

A recipe is an async function that fills a `Database` which has every table and no row. The first `fresh()` with a
recipe builds its template, the next ones copy that. `tables` adds nothing.
"""

import os
import pickle
import secrets
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from db.database import Database
from db.migrate import migrate
from tests.support.postgres_server import PostgresServer

BACKENDS = ("sqlite", "postgresql")

Recipe = Callable[[Database], Awaitable[Any]]


async def tables(database: Database) -> None:
    """Adds no row."""


@dataclass(frozen=True)
class Template:
    """A database that is copied. `value`: what its recipe returned, pickled: each copy has objects of its own."""

    url: URL
    value: bytes


class Databases:
    """The databases of one test process. PostgreSQL starts when it is first asked for.

    `folder` holds the SQLite files. `WAYMARK_TEST_DATABASE_URL` names another PostgreSQL, with a role that may create
    databases.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[tuple[str, Recipe], Template] = {}
        self._made: list[URL] = []
        self._server: PostgresServer | None = None
        # Test processes that share a server, at once or after one was killed, must not meet.
        self._prefix = f"waymark_test_{secrets.token_hex(4)}"

    async def fresh(self, backend: str, recipe: Recipe = tables) -> str:
        """Returns the async SQLAlchemy URL of a new database, as `recipe` leaves it. `backend`: one of BACKENDS."""
        return (await self.fresh_with_value(backend, recipe))[0]

    async def fresh_with_value(self, backend: str, recipe: Recipe) -> tuple[str, Any]:
        """Returns the URL of a new database, and a copy of what `recipe` returned."""
        template = await self._template(backend, recipe)
        return _plain(await self._make(backend, template.url)), pickle.loads(template.value)

    async def _template(self, backend: str, recipe: Recipe) -> Template:
        key = (backend, recipe)
        if key not in self._templates:
            base = None if recipe is tables else (await self._template(backend, tables)).url
            url = await self._make(backend, base)
            database = Database(_plain(url))
            try:
                if base is None:
                    await migrate(database)
                value = await recipe(database)
            finally:
                # PostgreSQL copies no database that is in use; SQLite folds its log in on the last close.
                await database.close()
            self._templates[key] = Template(url, pickle.dumps(value))
        return self._templates[key]

    async def drop(self, url: str) -> None:
        """Removes a database from `fresh()`, whoever is still connected."""
        target = make_url(url)
        self._made.remove(target)
        if target.drivername.startswith("sqlite"):
            for suffix in ("", "-wal", "-shm"):
                Path(target.database + suffix).unlink(missing_ok=True)
        else:
            await self._administer(f'DROP DATABASE IF EXISTS "{target.database}" WITH (FORCE)')

    async def close(self) -> None:
        """Removes what was made here, and ends the server."""
        if self._server is not None:
            # With the server its folder goes, and with that every database.
            self._made = [url for url in self._made if url.drivername.startswith("sqlite")]
        for url in list(self._made):
            await self.drop(_plain(url))
        if self._server is not None:
            self._server.stop()

    async def _make(self, backend: str, template: URL | None = None) -> URL:
        name = f"{self._prefix}_{len(self._made)}_{secrets.token_hex(2)}"
        if backend == "sqlite":
            path = self._folder / f"{name}.db"
            if template is not None:
                shutil.copyfile(template.database, path)
            url = URL.create("sqlite+aiosqlite", database=str(path))
        else:
            url = self._administration_url().set(database=name)
            source = template.database if template is not None else "template0"
            await self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        self._made.append(url)
        return url

    def _administration_url(self) -> URL:
        if named := os.environ.get("WAYMARK_TEST_DATABASE_URL"):
            url = make_url(named)
            if not url.drivername.startswith("postgres"):
                raise ValueError("WAYMARK_TEST_DATABASE_URL is not postgresql://user:password@host/postgres")
            return url.set(drivername="postgresql+asyncpg")
        if self._server is None:
            self._server = PostgresServer()
        return make_url(self._server.url())

    async def _administer(self, statement: str) -> None:
        # CREATE and DROP DATABASE run outside a transaction.
        engine = create_async_engine(self._administration_url(), isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                await connection.execute(text(statement))
        finally:
            await engine.dispose()


def _plain(url: URL) -> str:
    return url.render_as_string(hide_password=False)
