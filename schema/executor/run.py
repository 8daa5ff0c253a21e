"""One execution of a plan: resolvers are called a column at a time, and every column goes on as soon as it can."""

from asyncio import Future, ensure_future, gather, iscoroutine, isfuture, wait
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schema.executor.fields import ResolveInfo, Site, resolve_info
from schema.executor.outcomes import Deopt


@dataclass(slots=True)
class FieldBatch:
    """The values of one field for all its objects, some or all of them still futures."""

    index: int  # of the field's site in the plan
    values: list[Any]
    batched: bool = False  # one future stands for all the values
    projection: Callable[[Any], Any] | None = None  # what the field takes of each of those, where it is not the whole

    async def completed(self) -> list[Any]:
        """The values, once they are there."""
        if not self.batched:
            return [await value if hasattr(type(value), "__await__") else value for value in self.values]
        values = await self.values[0]
        return values if self.projection is None else list(map(self.projection, values))


class Execution:
    """The state of one execution.

    Generated code builds the answer's objects with None in the place of each resolved field, and puts (source, answer)
    on that field's queue. `call_resolvers` calls a field's resolver for its whole queue; once the values are there, the plan's
    fill function completes them into their places, which queues the fields below.
    """

    __slots__ = ("batches", "executor", "failed", "infos", "plan", "queues")

    def __init__(self, plan: Any, executor: Any) -> None:
        self.plan = plan
        self.executor = executor
        self.queues: list[list[tuple[Any, dict[str, Any]]]] = [[] for _ in plan.binders]
        self.batches: list[FieldBatch] = []
        self.infos: dict[int, ResolveInfo] = {}
        self.failed = False  # the answer must not be used, whatever else happens

    def info(self, site: Site) -> ResolveInfo:
        """The resolve info of a site, made when it is first asked for."""
        info = self.infos.get(id(site))
        if info is None:
            info = self.infos[id(site)] = resolve_info(site, self)
        return info

    def begin(self) -> tuple[dict[str, Any], list[FieldBatch]]:
        """Everything that needs no waiting: the answer so far, and the columns to wait for."""
        data = self.plan.root(self.executor.root_value, self)
        return data, self.call_resolvers(0, len(self.plan.binders))

    def call_resolvers(self, first: int, end: int) -> list[FieldBatch]:
        """Calls the resolvers queued at the sites from `first` to before `end`; the columns that have to be awaited.

        Sites are numbered from the top down, so what a column without futures queues is reached in the same pass.
        """
        opened = []
        for index in range(first, end):
            pairs = self.queues[index]
            if not pairs:
                continue
            resolve = self.plan.binders[index](self)
            batch = self._at_once(index, resolve, pairs) or self._one_by_one(index, resolve, pairs)
            if batch is not None:
                opened.append(batch)
                self.batches.append(batch)
        return opened

    def _at_once(self, index: int, resolve: Any, pairs: list[tuple[Any, Any]]) -> FieldBatch | None:
        """The column of a field that can be asked for all its objects together."""
        ask = getattr(resolve, "batch", None)
        values = None if ask is None else ask([source for source, _ in pairs])
        return None if values is None else FieldBatch(index, [values], True, resolve.projection)

    def _one_by_one(self, index: int, resolve: Any, pairs: list[tuple[Any, Any]]) -> FieldBatch | None:
        """The column of any other field; None where all values were there already, and are completed."""
        values = [resolve(source) for source, _ in pairs]
        classes = set(map(type, values))
        if not any(hasattr(cls, "__await__") for cls in classes):
            self.plan.fills[index](pairs, values, self)
            return None
        # A lone coroutine is awaited as it is; among others each runs in a task, so that none waits for another.
        if len(values) > 1 and not all(issubclass(cls, Future) for cls in classes):
            values = [ensure_future(value) if hasattr(type(value), "__await__") else value for value in values]
        return FieldBatch(index, values)

    async def drain(self, batches: list[FieldBatch]) -> None:
        """Waits for columns and for everything that they open. A lone column needs no task of its own.

        After a failure the others end at their next step and are waited for: cancelling them would cancel the
        loaders' futures, which the generic executor may be about to await.
        """
        while len(batches) == 1:
            [batch] = batches
            try:
                values = await batch.completed()
                if self.failed:
                    raise Deopt
                self.plan.fills[batch.index](self.queues[batch.index], values, self)
                batches = self.call_resolvers(batch.index + 1, self.plan.ends[batch.index])
            except Exception:
                self.failed = True
                raise
        for outcome in await gather(*(self.drain([batch]) for batch in batches), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def end(self) -> None:
        """Lets go of everything: a run and its infos hold each other, and with them every row, until the collector comes."""
        self.queues.clear()
        self.batches.clear()
        self.infos.clear()

    async def await_pending(self) -> None:
        """Waits for whatever was started, so that nothing of this run is under way when the operation runs again."""
        values = [value for batch in self.batches for value in batch.values]
        futures = [value for value in values if isfuture(value)]
        if futures:
            await wait(futures)
        for future in futures:
            if not future.cancelled():
                future.exception()  # seen: asyncio shall not log it
        for value in values:
            if iscoroutine(value):
                value.close()
