"""Statements that are built once a process, in the thread that compiles them.

    @cached_statement
    def _own(role: Role) -> Select:
        return AccessKeyRow.statement(role).order_by(AccessKey.id.desc())

    await database.rows(_own(role))           # builds and compiles it in the thread, the first time only
    await session.scalars(await _own(role))   # where SQLAlchemy itself runs it

To build a large one takes 20 to 60 ms of Python, during which the event loop would answer nobody.
"""

import asyncio
from collections.abc import Callable, Generator
from functools import lru_cache, partial, wraps
from typing import Any, Generic, ParamSpec, TypeVar

from db.compiling import Compilations

Built = TypeVar("Built")
Arguments = ParamSpec("Arguments")

_building = Compilations[Any]()


class CachedStatement(Generic[Built]):
    """A statement, or a part of one, that is built when it is first needed.

    `await` returns it, built in the thread that compiles. `Database.rows`, `Database.columns` and
    `db.direct_statements.send` take it as it is. Each caller gets what the function that builds it raises.
    """

    __slots__ = ("__weakref__", "_build", "_built", "compiled")

    def __init__(self, build: Callable[[], Built]) -> None:
        self._build = build
        self._built: Built | None = None
        # Its compiled forms, by the `CompiledSelectCache` that keeps them here.
        self.compiled: dict[Any, Any] = {}

    def build(self) -> Built:
        """Returns the statement for another that is being built. Raises RuntimeError where it would hold up a loop."""
        if self._built is None:
            if asyncio._get_running_loop() is not None:
                raise RuntimeError("a cached statement is built in the thread that compiles: await it")
            self._built = self._build()
        return self._built

    def __await__(self) -> Generator[Any, None, Built]:
        if self._built is None:
            yield from _building.compile(self, self.build).__await__()
        return self.build()


def cached_statement(build: Callable[Arguments, Built]) -> Callable[Arguments, CachedStatement[Built]]:
    """Keeps the statements that a function builds, by its arguments.

    The arguments are the role and the shape of the request, never values: those are bound when the statement runs.
    """

    @lru_cache(maxsize=256)
    @wraps(build)
    def statement(*arguments: Arguments.args, **named: Arguments.kwargs) -> CachedStatement[Built]:
        return CachedStatement(partial(build, *arguments, **named))

    return statement  # type: ignore[return-value]  # the cache takes the same arguments
