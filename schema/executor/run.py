"""One execution of a plan: resolvers are called a column at a time, and every column goes on as soon as it can."""

from asyncio import Future, ensure_future, gather, iscoroutine, isfuture, wait
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schema.executor.fields import ResolveInfo, Site, resolve_info
from schema.executor.outcomes import Deopt


@dataclass(slots=True)
class Column:
    """The values of one field for all its objects, some or all of them still futures."""

    index: int  # of the field's site in the plan
    values: list[Any]
    together: bool = False  # one future stands for all the values
    part: Callable[[Any], Any] | None = None  # what the field takes of each of those, where it is not the whole

    async def completed(self) -> list[Any]:
        """The values, once they are there."""
        if not self.together:
            return [await value if hasattr(type(value), "__await__") else value for value in self.values]
        values = await self.values[0]
        return values if self.part is None else list(map(self.part, values))


class Run:
    """The state of one execution.

    Generated code builds the answer's objects with None in the place of each resolved field, and puts (source, answer)
    on that field's queue. `open` calls a field's resolver for its whole queue; once the values are there, the plan's
    fill function completes them into their places, which queues the fields below.
    """

    __slots__ = ("columns", "executor", "infos", "plan", "queues", "spoiled")

    def __init__(self, plan: Any, executor: Any) -> None:
        self.plan = plan
        self.executor = executor
        self.queues: list[list[tuple[Any, dict[str, Any]]]] = [[] for _ in plan.binders]
        self.columns: list[Column] = []
        self.infos: dict[int, ResolveInfo] = {}
        self.spoiled = False  # the answer must not be used, whatever else happens

    def info(self, site: Site) -> ResolveInfo:
        """The resolve info of a site, made when it is first asked for."""
        info = self.infos.get(id(site))
        if info is None:
            info = self.infos[id(site)] = resolve_info(site, self)
        return info

    def begin(self) -> tuple[dict[str, Any], list[Column]]:
        """Everything that needs no waiting: the answer so far, and the columns to wait for."""
        data = self.plan.root(self.executor.root_value, self)
        return data, self.open(0, len(self.plan.binders))

    def open(self, first: int, end: int) -> list[Column]:
        """Calls the resolvers queued at the sites from `first` to before `end`; the columns that have to be awaited.

        Sites are numbered from the top down, so what a column without futures queues is reached in the same pass.
        """
        opened = []
        for index in range(first, end):
            pairs = self.queues[index]
            if not pairs:
                continue
            resolve = self.plan.binders[index](self)
            column = self._at_once(index, resolve, pairs) or self._one_by_one(index, resolve, pairs)
            if column is not None:
                opened.append(column)
                self.columns.append(column)
        return opened

    def _at_once(self, index: int, resolve: Any, pairs: list[tuple[Any, Any]]) -> Column | None:
        """The column of a field that can be asked for all its objects together."""
        ask = getattr(resolve, "column", None)
        values = None if ask is None else ask([source for source, _ in pairs])
        return None if values is None else Column(index, [values], True, resolve.part)

    def _one_by_one(self, index: int, resolve: Any, pairs: list[tuple[Any, Any]]) -> Column | None:
        """The column of any other field; None where all values were there already, and are completed."""
        values = [resolve(source) for source, _ in pairs]
        classes = set(map(type, values))
        if not any(hasattr(cls, "__await__") for cls in classes):
            self.plan.fills[index](pairs, values, self)
            return None
        # A lone coroutine is awaited as it is; among others each runs in a task, so that none waits for another.
        if len(values) > 1 and not all(issubclass(cls, Future) for cls in classes):
            values = [ensure_future(value) if hasattr(type(value), "__await__") else value for value in values]
        return Column(index, values)

    async def follow(self, columns: list[Column]) -> None:
        """Waits for columns and for everything that they open. A lone column needs no task of its own.

        After a failure the others end at their next step and are waited for: cancelling them would cancel the
        loaders' futures, which the generic executor may be about to await.
        """
        while len(columns) == 1:
            [column] = columns
            try:
                values = await column.completed()
                if self.spoiled:
                    raise Deopt
                self.plan.fills[column.index](self.queues[column.index], values, self)
                columns = self.open(column.index + 1, self.plan.ends[column.index])
            except Exception:
                self.spoiled = True
                raise
        for outcome in await gather(*(self.follow([column]) for column in columns), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def end(self) -> None:
        """Lets go of everything: a run and its infos hold each other, and with them every row, until the collector comes."""
        self.queues.clear()
        self.columns.clear()
        self.infos.clear()

    async def settle(self) -> None:
        """Waits for whatever was started, so that nothing of this run is under way when the operation runs again."""
        values = [value for column in self.columns for value in column.values]
        futures = [value for value in values if isfuture(value)]
        if futures:
            await wait(futures)
        for future in futures:
            if not future.cancelled():
                future.exception()  # seen: asyncio shall not log it
        for value in values:
            if iscoroutine(value):
                value.close()
