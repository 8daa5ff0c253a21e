"""aiodataloader as the house uses it: a load that costs little, and futures that one reader's end does not take from another."""

import asyncio
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader, Loader, enqueue_post_future_job

K = TypeVar("K")
V = TypeVar("V")


class Kept(asyncio.Future[Any]):
    """What `load` gives: several fields may await the same one.

    GraphQL cancels the siblings of a field that fails. Were their future cancelled with them, whoever else awaits it
    would be cancelled too, and with it the whole operation.
    """

    def cancel(self, msg: Any = None) -> bool:
        """Nobody's to cancel: it ends when its batch is read."""
        return False


class _Loop:
    """The running loop, as a DataLoader needs it."""

    __slots__ = ("call_soon",)

    def __init__(self) -> None:
        self.call_soon = asyncio.get_running_loop().call_soon

    def create_future(self) -> Kept:
        return Kept()


class Batched(DataLoader[K, V], Generic[K, V]):
    """The base of every loader."""

    def __init__(self) -> None:
        # Not the base's: it looks the same things up again for each of an operation's loaders.
        self.loop = _Loop()
        self._cache = {}
        self._queue = []

    def get_cache_key(self, key: K) -> Any:
        """What tells keys apart: the key itself, unless a loader takes rows."""
        return key

    def load(self, key: K) -> Kept:
        """The future of one key's value; those asked for in one turn of the loop are read together."""
        cache_key = self.get_cache_key(key)
        known = self._cache.get(cache_key)
        if known is not None:
            return known
        future = self._cache[cache_key] = Kept()
        self._queue.append(Loader(key, future))
        if len(self._queue) == 1:
            enqueue_post_future_job(self.loop, self)
        return future
