"""aiodataloader as the house uses it: a load that costs little, whole columns of keys at the price of one, and futures
that one reader's end does not take from another."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader, Loader, dispatch_queue

K = TypeVar("K")
V = TypeVar("V")


class ReadCancelled(Exception):
    """The server stopped while this was read."""


class SharedFuture(asyncio.Future[Any]):
    """What `load` gives: several fields may await the same one.

    GraphQL cancels the siblings of a field that fails. Were their future cancelled with them, whoever else awaits it
    would be cancelled too, and with it the whole operation.
    """

    def cancel(self, msg: Any = None) -> bool:
        """Nobody's to cancel: it ends when its batch is read."""
        return False


def map_future(whole: asyncio.Future[Any], part: Callable[[Any], Any]) -> SharedFuture:
    """A future of what `part` makes of another future's result: a coroutine for it would cost a task for each row."""
    made = SharedFuture()

    def done(whole: asyncio.Future[Any]) -> None:
        try:
            value = part(whole.result())
        except Exception as error:
            made.set_exception(error)
        else:
            made.set_result(value)

    whole.add_done_callback(done)
    return made


class _Loop:
    """The running loop, as a DataLoader needs it."""

    __slots__ = ("call_soon",)

    def __init__(self) -> None:
        self.call_soon = asyncio.get_running_loop().call_soon

    def create_future(self) -> SharedFuture:
        return SharedFuture()


class _KeyBatch(tuple[Any, ...]):
    """Keys that are asked for together, and wait in the queue as one."""

    __slots__ = ()


class BaseLoader(DataLoader[K, V], Generic[K, V]):
    """The base of every loader; each says in `read` how its keys are read, those of one turn of the loop together."""

    def __init__(self) -> None:
        # Not the base's: it looks the same things up again for each of an operation's loaders.
        self.loop = _Loop()
        self._cache = {}
        self._queue = []
        self._batches: dict[_KeyBatch, asyncio.Future[list[V]]] = {}
        # Of the one column that was queued as such: its future, and where in it each key stands.
        self._first_batch: SharedFuture | None = None
        self._positions: dict[K, int] = {}

    @abstractmethod
    async def read(self, keys: list[K]) -> list[V]:
        """The values of these keys, which are all different, in their order."""

    def get_cache_key(self, key: K) -> Any:
        """What tells keys apart: the key itself, unless a loader takes rows."""
        return key

    def load(self, key: K) -> SharedFuture:
        """The future of one key's value; those asked for in one turn of the loop are read together."""
        cache_key = self.get_cache_key(key)
        known = self._cache.get(cache_key)
        if known is None:
            known = self._cache[cache_key] = self._from_batch(key) or self._enqueue(key)
        return known

    def load_batch(self, keys: Sequence[K]) -> asyncio.Future[list[V]]:
        """The future of many keys' values, in their order: one for them all, as long as nothing else was asked for.

        For loaders whose keys tell themselves apart.
        """
        column = _KeyBatch(keys)
        known = self._batches.get(column)
        if known is None:
            if self._cache or self._batches:
                known = asyncio.gather(*map(self.load, keys))
            else:
                known = self._first_batch = self._enqueue(column)
            self._batches[column] = known
        return known

    def _enqueue(self, key: Any) -> SharedFuture:
        future = SharedFuture()
        self._queue.append(Loader(key, future))
        if len(self._queue) == 1:
            # Three turns of the loop from here, one more than aiodataloader waits: keys that a coroutine asks for reach
            # the same batch as those that a callback asks for.
            call_soon = self.loop.call_soon
            call_soon(call_soon, call_soon, dispatch_queue, self)
        return future

    def _from_batch(self, key: K) -> SharedFuture | None:
        if self._first_batch is None:
            return None
        if not self._positions:
            column = next(iter(self._batches))
            self._positions = {key: place for place, key in enumerate(column)}
        place = self._positions.get(key)
        return None if place is None else map_future(self._first_batch, itemgetter(place))

    async def batch_load_fn(self, asked: list[Any]) -> list[Any]:
        """What aiodataloader calls: a column, which can only be the first, is opened and put together again."""
        column = asked[0]
        if column.__class__ is not _KeyBatch:
            return await self._read(asked)
        keys = list(dict.fromkeys([*column, *asked[1:]]))
        values = await self._read(keys)
        if len(keys) == len(column) and len(asked) == 1:
            return [values]
        found = dict(zip(keys, values, strict=True))
        return [[found[key] for key in column], *(found[key] for key in asked[1:])]

    async def _read(self, keys: list[K]) -> list[V]:
        try:
            return await self.read(keys)
        except asyncio.CancelledError:
            # The loop ends. Whoever awaits these keys was cancelled too, and hears of it when the futures are done:
            # aiodataloader would never end them, nor the process.
            raise ReadCancelled from None
