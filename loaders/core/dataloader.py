"""The base of every dataloader: collects the keys that an operation needs and reads them together.

It adds three things to aiodataloader: loads that cost less, batches of keys that need one future, and futures that
cannot be cancelled by one of several awaiters.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader, Loader

K = TypeVar("K")
V = TypeVar("V")


class ReadCancelled(Exception):
    """The event loop stopped during the read."""


class SharedFuture(asyncio.Future[Any]):
    """A future that several fields may await.

    GraphQL cancels the siblings of a field that fails. If that cancelled their future too, all other awaiters of it
    would be cancelled, and with them the whole operation.
    """

    def cancel(self, msg: Any = None) -> bool:
        """Does nothing: the future ends when its batch has been read."""
        return False


def map_future(future: asyncio.Future[Any], function: Callable[[Any], Any]) -> SharedFuture:
    """Returns a future of `function(result)`. It needs no task, unlike a coroutine."""
    mapped = SharedFuture()

    def done(future: asyncio.Future[Any]) -> None:
        try:
            value = function(future.result())
        except Exception as error:
            mapped.set_exception(error)
        else:
            mapped.set_result(value)

    future.add_done_callback(done)
    return mapped


class _Loop:
    """The part of the running event loop that a DataLoader uses."""

    __slots__ = ("call_soon",)

    def __init__(self) -> None:
        self.call_soon = asyncio.get_running_loop().call_soon

    def create_future(self) -> SharedFuture:
        return SharedFuture()


class _KeyBatch(tuple[Any, ...]):
    """Keys that were requested together and are one entry of the queue."""

    __slots__ = ()


class BaseLoader(DataLoader[K, V], Generic[K, V]):
    """The base of every loader. `read` gets all keys that were loaded in the same turn of the event loop."""

    def __init__(self) -> None:
        # Without super().__init__(), which looks up the loop and the options for each of an operation's loaders.
        self.loop: Any = _Loop()
        self._cache: dict[Any, Any] = {}
        self._queue: list[Loader] = []
        self._batches: dict[_KeyBatch, asyncio.Future[list[V]]] = {}
        # The future of the first batch, and the position of each key in that batch.
        self._first_batch: SharedFuture | None = None
        self._positions: dict[K, int] = {}

    @abstractmethod
    async def read(self, keys: list[K]) -> list[V]:
        """Returns the values of the keys, in their order. No key comes twice."""

    def get_cache_key(self, key: K) -> Any:
        """Returns what distinguishes keys: the key itself, unless a loader takes rows as keys."""
        return key

    def load(self, key: K) -> SharedFuture:
        """Returns the future of one key's value."""
        cache_key = self.get_cache_key(key)
        future = self._cache.get(cache_key)
        if future is None:
            future = self._cache[cache_key] = self._from_batch(key) or self._enqueue(key)
        return future

    async def load_alone(self, key: K) -> V:
        """Returns one key's value, read at once: for a caller beside whom nobody loads.

        `load` waits for other keys of the same turn of the event loop, and reads in a task of its own.
        """
        cache_key = self.get_cache_key(key)
        if cache_key in self._cache or self._batches:
            loaded: V = await self.load(key)
            return loaded
        (value,) = await self.read([key])
        future = self._cache[cache_key] = SharedFuture()
        future.set_result(value)
        return value

    def load_batch(self, keys: Sequence[K]) -> asyncio.Future[list[V]]:
        """Returns one future of many keys' values, in their order.

        The keys must be hashable and be their own cache keys. The first batch of a loader needs no future for each key.
        """
        batch = _KeyBatch(keys)
        future = self._batches.get(batch)
        if future is None:
            if self._cache or self._batches:
                future = asyncio.gather(*map(self.load, keys))
            else:
                future = self._first_batch = self._enqueue(batch)
            self._batches[batch] = future
        return future

    def load_present(self, keys: Sequence[K | None]) -> SharedFuture | None:
        """As `load_batch`, with None in the place of each key that is None; no future if all are."""
        present = [key for key in keys if key is not None]
        if not present:
            return None

        def in_places(values: list[V]) -> list[V | None]:
            following = iter(values)
            return [None if key is None else next(following) for key in keys]

        return map_future(self.load_batch(present), in_places)

    def _enqueue(self, key: Any) -> SharedFuture:
        future = SharedFuture()
        self._queue.append(Loader(key, future))
        if len(self._queue) == 1:
            # Reads three turns of the loop from here, one more than aiodataloader waits, so that keys from coroutines
            # and keys from callbacks are in the same batch.
            call_soon = self.loop.call_soon
            call_soon(call_soon, call_soon, self._dispatch)
        return future

    def _dispatch(self) -> None:
        # Instead of aiodataloader's function, which calls ten more for each batch.
        entries, self._queue = self._queue, []
        # The loop itself holds tasks weakly.
        self._task = asyncio.create_task(self._answer(entries))

    async def _answer(self, entries: list[Loader]) -> None:
        try:
            values = await self.batch_load_fn([entry.key for entry in entries])
            for entry, value in zip(entries, values, strict=True):
                if not entry.future.done():
                    entry.future.set_result(value)
        except Exception as error:
            # What failed is read again by the next load.
            for entry in entries:
                self.clear(entry.key)
                if not entry.future.done():
                    entry.future.set_exception(error)

    def _from_batch(self, key: K) -> SharedFuture | None:
        """Returns the future of a key that is part of the first batch; None for any other key."""
        if self._first_batch is None:
            return None
        if not self._positions:
            batch = next(iter(self._batches))
            self._positions = {key: position for position, key in enumerate(batch)}
        position = self._positions.get(key)
        return None if position is None else map_future(self._first_batch, itemgetter(position))

    async def batch_load_fn(self, entries: list[Any]) -> list[Any]:
        """Reads the entries of the queue. Only the first of them can be a `_KeyBatch`."""
        batch, *others = entries
        if batch.__class__ is not _KeyBatch:
            return await self._read(entries)
        keys = list(dict.fromkeys([*batch, *others]))
        values = await self._read(keys)
        if len(keys) == len(batch) and not others:
            return [values]
        found = dict(zip(keys, values, strict=True))
        return [[found[key] for key in batch], *(found[key] for key in others)]

    async def _read(self, keys: list[K]) -> list[V]:
        try:
            return await self.read(keys)
        except asyncio.CancelledError:
            # The loop is stopping. The futures would never be completed, and the process would not end.
            raise ReadCancelled from None
