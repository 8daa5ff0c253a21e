"""The outcome of a mutation, which is kept so that the generic executor can complete it and not run it again."""

from collections.abc import Awaitable, Callable
from typing import Any

from .cache import Resolver


class MutationOutcome:
    """What the resolver of a mutation returned or raised. `has_begun`: it was called, and must not be called again."""

    def __init__(self) -> None:
        self.has_begun = False
        self._value: Any = None
        self._error: Exception | None = None

    def run(self, resolve: Resolver, source: Any) -> Any:
        """Calls the resolver; returns its value, or an awaitable of it. A coroutine begins when it is awaited."""
        try:
            value = resolve(source)
        except Exception as error:
            self.has_begun, self._error = True, error
            raise
        if hasattr(type(value), "__await__"):
            return self._awaited(value)
        self.has_begun, self._value = True, value
        return value

    async def _awaited(self, value: Awaitable[Any]) -> Any:
        self.has_begun = True
        try:
            self._value = await value
        except Exception as error:
            self._error = error
            raise
        return self._value

    def replay(self, *_: Any, **__: Any) -> Any:
        """Returns or raises the same again. A value with a method `reload` is loaded again, with all attributes."""
        if self._error is not None:
            raise self._error
        reload = getattr(self._value, "reload", None)
        return self._value if reload is None else reload()


def once(bind: Callable[[Any], Resolver]) -> Callable[[Any], Resolver]:
    """Returns a binder whose resolver stores its outcome for the executor, in `outcome`."""

    def bind_once(execution: Any) -> Resolver:
        resolve = bind(execution)

        def run(source: Any) -> Any:
            return execution.executor.outcome.run(resolve, source)

        return run

    return bind_once
