"""One execution of a compiled query: it resolves each deferred field for all objects at once, as soon as it can."""

from asyncio import Future, ensure_future, gather, iscoroutine, isfuture, sleep, wait
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from .cache import CompiledQuery, Pairs
from .errors import Deopt
from .fields import ResolveInfo, SelectedField, resolve_info

# Objects of a field that are completed without looking at the clock, and seconds until the event loop answers others.
_PIECE = 16
_SECONDS = 0.005


@dataclass(slots=True)
class FieldBatch:
    """The values of one deferred field for all its objects, at least one of them to be awaited."""

    index: int  # of the field in the compiled query
    values: list[Any]
    batched: bool = False  # `values` is a single awaitable of the list of all values
    projection: Callable[[Any], Any] | None = None  # applied to each value of a batch

    async def completed(self) -> list[Any]:
        """Awaits and returns the values."""
        if len(self.values) == 1 and not self.batched:
            value = self.values[0]
            return [await value if hasattr(type(value), "__await__") else value]
        if not self.batched:
            return [await value if hasattr(type(value), "__await__") else value for value in self.values]
        values = await self.values[0]
        return values if self.projection is None else list(map(self.projection, values))


class Execution:
    """The state of one execution.

    Generated code builds each result object with None for its deferred fields, and appends (source, result object) to
    `deferred` of the field. `call_resolvers` calls the field's resolver for all of these. Once the values are there,
    the field's completer puts them into the result objects, which defers the fields below.
    """

    __slots__ = ("batches", "deferred", "error", "executor", "failed", "infos", "query")

    def __init__(self, query: CompiledQuery, executor: Any) -> None:
        self.query = query
        self.executor = executor
        self.deferred: list[Pairs] = [[] for _ in query.resolver_binders]
        self.batches: list[FieldBatch] = []
        self.infos: dict[int, ResolveInfo] = {}
        self.failed = False  # whatever else happens, the result is dropped
        self.error: Exception | None = None  # the first one

    def info(self, selected: SelectedField) -> ResolveInfo:
        """Returns the resolve info of a field, which is made at the first call."""
        info = self.infos.get(id(selected))
        if info is None:
            info = self.infos[id(selected)] = resolve_info(selected, self)
        return info

    def start(self) -> tuple[dict[str, Any], list[FieldBatch]]:
        """Runs all that does not wait. Returns the data so far, and the batches to await."""
        data = self.query.complete_root(self.executor.root_value, self)
        return data, self.call_resolvers(0, len(self.query.resolver_binders))

    def call_resolvers(self, first: int, end: int) -> list[FieldBatch]:
        """Calls the resolvers of the deferred fields from `first` to before `end`. Returns the batches to await.

        A field's number is lower than those of the fields below it, so what a synchronous field defers is still called.
        """
        pending = []
        for index in range(first, end):
            pairs = self.deferred[index]
            if not pairs:
                continue
            resolve = self.query.resolver_binders[index](self)
            batch = self._call_batch(index, resolve, pairs) or self._call_each(index, resolve, pairs)
            if batch is not None:
                pending.append(batch)
                self.batches.append(batch)
        return pending

    def _call_batch(self, index: int, resolve: Any, pairs: Pairs) -> FieldBatch | None:
        """Resolves all objects in one call; None where the resolver cannot."""
        resolve_batch = getattr(resolve, "batch", None)
        values = None if resolve_batch is None else resolve_batch([source for source, _ in pairs])
        return None if values is None else FieldBatch(index, [values], True, resolve.projection)

    def _call_each(self, index: int, resolve: Any, pairs: Pairs) -> FieldBatch | None:
        """Resolves object by object; completes the values and returns None where no value is awaitable."""
        if len(pairs) == 1:
            values = [resolve(pairs[0][0])]
            if hasattr(type(values[0]), "__await__"):
                return FieldBatch(index, values)
            self.query.completers[index](pairs, values, self)
            return None
        values = [resolve(source) for source, _ in pairs]
        classes = set(map(type, values))
        if not any(hasattr(cls, "__await__") for cls in classes):
            self.query.completers[index](pairs, values, self)
            return None
        # Coroutines run as tasks, so that none waits for another. A single one needs no task.
        if not all(issubclass(cls, Future) for cls in classes):
            values = [ensure_future(value) if hasattr(type(value), "__await__") else value for value in values]
        return FieldBatch(index, values)

    async def drain(self, batches: list[FieldBatch]) -> None:
        """Awaits batches and all batches that follow from them. Raises the first error.

        After a failure the other batches stop at their next step and are awaited. They are not cancelled: that would
        cancel futures of data loaders that the generic executor may await next.
        """
        # A single batch needs no task.
        while len(batches) == 1:
            [batch] = batches
            try:
                values = await batch.completed()
                if self.failed:
                    raise Deopt
                if len(values) > _PIECE and self.query.subtree_ends[batch.index] == batch.index + 1:
                    await self.complete_in_pieces(batch.index, values)
                else:
                    self.query.completers[batch.index](self.deferred[batch.index], values, self)
                batches = self.call_resolvers(batch.index + 1, self.query.subtree_ends[batch.index])
            except Exception as error:
                self.fail(error)
                raise
        for outcome in await gather(*(self.drain([batch]) for batch in batches), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def complete_in_pieces(self, index: int, values: list[Any]) -> None:
        """Completes a field that defers none, and lets the event loop turn every few milliseconds.

        The fields below another field wait for data loaders, whose batches would be smaller if it waited for the loop.
        """
        pairs, complete = self.deferred[index], self.query.completers[index]
        began = perf_counter()
        for start in range(0, len(values), _PIECE):
            if perf_counter() - began >= _SECONDS:
                await sleep(0)
                if self.failed:
                    raise Deopt
                began = perf_counter()
            complete(pairs[start : start + _PIECE], values[start : start + _PIECE], self)

    def fail(self, error: Exception) -> None:
        """Notes an error."""
        self.failed = True
        self.error = self.error or error

    def clear(self) -> None:
        """Drops all references: an execution and its infos form a cycle, which would keep every row in memory."""
        self.deferred.clear()
        self.batches.clear()
        self.infos.clear()
        self.error = None

    async def await_pending(self) -> None:
        """Awaits whatever was started, so that nothing of it still runs when the generic executor starts."""
        values = [value for batch in self.batches for value in batch.values]
        futures = [value for value in values if isfuture(value)]
        if futures:
            await wait(futures)
        for future in futures:
            if not future.cancelled():
                future.exception()  # marks it as retrieved, else asyncio logs it
        for value in values:
            if iscoroutine(value):
                value.close()
