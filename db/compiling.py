"""Compiles statements in a thread of their own, so that the event loop answers others meanwhile.

To compile a statement takes SQLAlchemy up to 160 ms. It is done once a process, for the first request that sends it.
"""

import asyncio
import os
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from sqlalchemy.engine import Dialect
from sqlalchemy.util.concurrency import await_only, in_greenlet

Result = TypeVar("Result")


class _Compiler:
    """One thread: those that compile at once would only wait for each other, and the event loop for each of them."""

    def __init__(self) -> None:
        self.start()
        # A process that is forked has none of the threads of its parent, and would wait for one for ever.
        os.register_at_fork(after_in_child=self.start)

    def start(self) -> None:
        self.thread = ThreadPoolExecutor(1, "compiling")


_compiler = _Compiler()


class Compilations(Generic[Result]):
    """The compilations that run now. Requests for the same statement wait for one compilation."""

    def __init__(self) -> None:
        # By event loop and key: the compilation, and how many wait for it.
        self._running: dict[Hashable, tuple[asyncio.Future[Result], list[None]]] = {}

    async def compile(self, key: Hashable, work: Callable[[], Result]) -> Result:
        """Returns what `work` returns in the thread, or raises what it raises. It runs once for equal keys.

        It continues if a caller that waits for it is cancelled.
        """
        loop = asyncio.get_running_loop()
        if (found := self._running.get((loop, key))) is None:
            found = self._running[loop, key] = (loop.run_in_executor(_compiler.thread, work), [])
        running, waiting = found
        waiting.append(None)
        try:
            return await asyncio.shield(running)
        finally:
            # The last one: a caller that comes later finds the result in a cache, where the first has put it.
            waiting.pop()
            if not waiting:
                del self._running[loop, key]


def compile_in_thread(dialect: Dialect) -> None:
    """Makes the connections and sessions of an engine with this dialect compile in the thread.

    SQLAlchemy calls the compiler only for a statement that its cache does not have, so that one it has costs nothing.
    """
    compiler: Any = dialect.statement_compiler
    compilations = Compilations[Any]()

    def compile_statement(dialect: Dialect, statement: Any, **options: Any) -> Any:
        # Outside of an operation of the engine nothing can wait, as in `str(statement)`.
        if statement is None or not in_greenlet():
            return compiler(dialect, statement, **options)
        # What has no key is never in the cache.
        cache_key = options.get("cache_key")
        names, many = tuple(options.get("column_keys") or ()), options.get("for_executemany")
        key = object() if cache_key is None else (cache_key.key, names, many)
        return await_only(compilations.compile(key, lambda: compiler(dialect, statement, **options)))

    dialect.statement_compiler = compile_statement  # type: ignore[assignment]
