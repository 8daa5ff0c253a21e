"""What the tests of a process share, because each of them would do it again: compiled statements and a TLS context."""

import gc
from functools import cache
from typing import Any

from httpx2._transports import default as transport
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import LRUCache

from db.engines import EngineMaker

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


def collect_garbage_as_a_server() -> None:
    """Leaves what was imported out of garbage collections, and makes them as rare as in a server process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
