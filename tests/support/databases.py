"""Databases for tests, on SQLite and on PostgreSQL: each made once a run as a template, then copied in milliseconds.

A recipe is an async function that fills a `Database` which has every table and no row. The first `fresh()` with a
recipe builds its template, the next ones copy that. `tables` adds nothing.
"""

import hashlib
import os
import pickle
import secrets
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url

from db.database import Database
from db.migrate import migrate
from tests.support.postgres_databases import PostgresDatabases
from tests.support.postgres_server import PostgresServer
from tests.support.shared_folder import SharedFolder

BACKENDS = ("sqlite", "postgresql")

Recipe = Callable[[Database], Awaitable[Any]]


async def tables(database: Database) -> None:
    """Adds no row."""


@dataclass(frozen=True)
class Template:
    """A database that is copied. `value`: what its recipe returned, pickled; `restorable`: whether copies can be."""

    url: str
    value: bytes
    restorable: bool


class Databases:
    """The databases of one test process. PostgreSQL starts when it is first needed.

    `folder` holds the SQLite files. `shared`: where the processes of a run share templates and the PostgreSQL server.
    `WAYMARK_TEST_DATABASE_URL` names another PostgreSQL, with a role that may create databases.
    """

    def __init__(self, folder: Path, shared: SharedFolder | None = None) -> None:
        self._folder = folder
        self.shared = shared or SharedFolder(folder / "shared")
        self._templates: dict[tuple[str, Recipe], Template] = {}
        # The template of each database that is in use, and by template the databases that can be used again.
        self._used: dict[str, Template] = {}
        self._released: dict[Template, list[str]] = defaultdict(list)
        # By URL, the open databases of `opened` that wait to be used again, with their connections.
        self._kept: dict[str, Database] = {}
        self._named_server = os.environ.get("WAYMARK_TEST_DATABASE_URL")
        self._server: PostgresServer | None = None
        self._postgres: PostgresDatabases | None = None
        # Test processes that share a server, at once or after one was killed, use other names.
        self._prefix = f"waymark_test_{secrets.token_hex(4)}"
        self._number = 0

    async def fresh(self, backend: str, recipe: Recipe = tables) -> str:
        """Returns the async SQLAlchemy URL of a database as `recipe` leaves it. `backend`: one of BACKENDS."""
        return (await self.fresh_with_value(backend, recipe))[0]

    async def fresh_with_value(self, backend: str, recipe: Recipe) -> tuple[str, Any]:
        """Returns the URL of a database as `recipe` leaves it, and a copy of what the recipe returned."""
        url, value = await self._taken(backend, recipe)
        await self._close_kept(url)
        return url, value

    @asynccontextmanager
    async def opened(self, backend: str, recipe: Recipe = tables) -> AsyncIterator[tuple[Database, Any]]:
        """Opens a database as `recipe` leaves it, for one test; yields it with a copy of what the recipe returned.

        On PostgreSQL the next test that opens it has the same connections: to open them and to plan their statements
        again takes longer than most tests. They are closed if the test left a connection of its own, or work.
        """
        url, value = await self._taken(backend, recipe)
        database = self._kept.pop(url, None) or Database(url)
        yield database, value
        if self._used[url].restorable and await self._is_idle(database):
            self._kept[url] = database
        else:
            await database.close()
        await self.release(url)

    async def _taken(self, backend: str, recipe: Recipe) -> tuple[str, Any]:
        template = await self._template(backend, recipe)
        url = await self._restored(template) or await self._create(backend, template)
        self._used[url] = template
        return url, pickle.loads(template.value)

    async def _is_idle(self, database: Database) -> bool:
        """Returns whether nothing runs on the database, and all connections to it are those of its pools."""
        counts = database.pool_counts().values()
        if database.read_listeners or database.outages.since or any(each.in_use or each.waiting for each in counts):
            return False
        idle = await self._on_postgres().idle_connections(make_url(database.url).database)
        return idle == sum(each.idle for each in counts)

    async def _close_kept(self, url: str) -> None:
        if (kept := self._kept.pop(url, None)) is not None:
            await kept.close()

    async def release(self, url: str) -> None:
        """Gives a database back, so that a later `fresh()` can restore it and use it again."""
        if self._used[url].restorable:
            self._released[self._used.pop(url)].append(url)
        else:
            await self.drop(url)

    async def drop(self, url: str) -> None:
        """Removes a database, and ends the connections to it."""
        self._used.pop(url, None)
        await self._close_kept(url)
        target = make_url(url)
        if target.drivername.startswith("sqlite"):
            for suffix in ("", "-wal", "-shm"):
                Path(target.database + suffix).unlink(missing_ok=True)
        else:
            await self._on_postgres().drop(target.database)

    async def close(self) -> None:
        """Removes what was made here. The tests' own server ends with the last process that uses it."""
        for url in list(self._kept):
            await self._close_kept(url)
        left = [*self._used, *(url for urls in self._released.values() for url in urls)]
        if self._named_server:
            left += [template.url for (backend, _), template in self._templates.items() if backend == "postgresql"]
        for url in left:
            if url.startswith("sqlite") or self._named_server:
                await self.drop(url)
        if self._postgres is not None:
            await self._postgres.close()
        if self._server is not None:
            self._server.stop()

    async def _template(self, backend: str, recipe: Recipe) -> Template:
        key = (backend, recipe)
        if key not in self._templates:
            name = f"{recipe.__module__}.{recipe.__qualname__}"
            # A function within a test is another one each time; who cleans a server of others must be clear.
            if "<locals>" in name or (backend == "postgresql" and self._named_server):
                self._templates[key] = await self._build(backend, recipe)
            else:
                if backend == "postgresql":
                    # A server ends with the last process that uses it, and its templates with it.
                    self._on_postgres()
                    name += str(self._server and self._server.folder)
                file = f"{backend}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
                self._templates[key] = await self.shared.once(file, lambda: self._build(backend, recipe))
        return self._templates[key]

    async def _build(self, backend: str, recipe: Recipe) -> Template:
        base = None if recipe is tables else await self._template(backend, tables)
        url = await self._create(backend, base)
        database = Database(url)
        try:
            if base is None:
                await migrate(database)
            value = await recipe(database)
        finally:
            # PostgreSQL copies no database that is in use; SQLite folds its log in on the last close.
            await database.close()
        restorable = backend == "postgresql" and await self._on_postgres().make_restorable(make_url(url).database)
        return Template(url, pickle.dumps(value), restorable)

    async def _restored(self, template: Template) -> str | None:
        while self._released[template]:
            url = self._released[template].pop()
            if await self._on_postgres().restore(make_url(url).database, disconnects=url not in self._kept):
                return url
            await self.drop(url)
        return None

    async def _create(self, backend: str, template: Template | None) -> str:
        self._number += 1
        name = f"{self._prefix}_{self._number}_{secrets.token_hex(2)}"
        source = template and make_url(template.url).database
        if backend == "sqlite":
            path = self._folder / f"{name}.db"
            if source:
                shutil.copyfile(source, path)
            return _text(URL.create("sqlite+aiosqlite", database=str(path)))
        return await self._on_postgres().create(name, source)

    def _on_postgres(self) -> PostgresDatabases:
        if self._postgres is None:
            if self._named_server is None:
                self._server = PostgresServer(self.shared.path)
            self._postgres = PostgresDatabases(self._named_server or self._server.url())
        return self._postgres


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
