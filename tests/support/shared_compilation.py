"""Lets the engines of all databases of a test process share what SQLAlchemy compiles.

Nearly each test opens a database of its own, so SQLAlchemy would compile the same statements a thousand times, in a
third of the time of the tests. Its keys hold the dialect, of which each engine has its own: here all of a class are
equal.
"""

from typing import Any

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import LRUCache

from db.engines import EngineMaker

_DIALECTS: tuple[type[Any], ...] = (PGDialect_asyncpg, SQLiteDialect_aiosqlite)
# Far above the number of statements of all tests.
_STATEMENTS = 20_000


def share_compiled_statements() -> None:
    """Changes the dialects and the maker of engines of this process."""
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
