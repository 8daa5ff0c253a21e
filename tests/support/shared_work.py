"""What the tests of a process share, because each of them would do it again, such as compiled statements."""

import atexit
import gc
from functools import cache
from typing import Any

from httpx2._transports import default as transport
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import LRUCache

from auth import passwords
from db import worker_process
from db.engines import EngineMaker
from db.postgres_connection import ConnectionOptions

_DIALECTS: tuple[type[Any], ...] = (PGDialect_asyncpg, SQLiteDialect_aiosqlite)
# Far above the number of statements of all tests.
_STATEMENTS = 20_000


def share_compiled_statements() -> None:
    """Lets the engines of all databases share what SQLAlchemy compiles.

    Nearly each test opens a database of its own and would compile the same statements, in a third of its time. The keys
    of SQLAlchemy hold the dialect, of which each engine has its own: here all of a class are equal.
    """
    caches = {dialect: LRUCache[Any, Any](_STATEMENTS) for dialect in _DIALECTS}
    for dialect in _DIALECTS:
        dialect.__eq__ = lambda one, other: type(one) is type(other)
        dialect.__hash__ = lambda one: hash(type(one))
    make = EngineMaker.engine

    def engine(self: EngineMaker, url: str, size: int, overflow: int | None = None) -> AsyncEngine:
        made = make(self, url, size, overflow)
        made.sync_engine._compiled_cache = caches[type(made.dialect)]
        return made

    EngineMaker.engine = engine  # type: ignore[method-assign]


def share_tls_context() -> None:
    """Lets HTTP clients share their TLS context: to read the certificates for each takes 18 ms."""
    transport.create_ssl_context = cache(transport.create_ssl_context)  # type: ignore[attr-defined]


def keep_worker_processes() -> None:
    """Leaves worker processes to the next server of this process; they end with this process."""
    atexit.register(worker_process.close_workers)
    worker_process.close_workers = lambda: None


def commit_without_waiting_for_the_disk() -> None:
    """Lets SQLite leave commits to the system, as the tests' PostgreSQL does: the files are deleted after the tests."""
    prepare = EngineMaker.__init__

    def prepare_not_durable(self: EngineMaker, options: ConnectionOptions) -> None:
        prepare(self, options)
        self._pragmas = tuple(each.replace("synchronous=FULL", "synchronous=OFF") for each in self._pragmas)

    EngineMaker.__init__ = prepare_not_durable  # type: ignore[method-assign]


def hash_passwords_cheaply() -> None:
    """Lets argon2 take no time: a hash of the product takes 30 ms of a core, and nearly each test signs somebody in."""
    passwords._HASHER = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    passwords._UNKNOWN_USER_HASH = passwords._HASHER.hash("nobody has this password")


def collect_garbage_as_a_server() -> None:
    """Leaves what was imported out of garbage collections, and makes them as rare as in a server process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
