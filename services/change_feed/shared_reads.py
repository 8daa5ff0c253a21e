"""What live streams read after a change: one statement for many viewers, and one reading for those with one scope."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, Generic, TypeVar

from auth.audience import audience
from auth.scope import ADMINS
from auth.tokens import AccessClaims
from auth.viewer import SIGNED_IN, Viewer, viewer_of_session
from db.database import Database
from db.models.auth_session import AuthSession
from db.sql.any_of import any_of
from domain import clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")

# Seconds in which callers come together. Streams that one change wakes call in the same turn of the event loop.
_GATHER_SECONDS = 0.01
# Readings that run at once in a process, so that a burst leaves connections to others.
_AT_ONCE = 2
_SESSIONS = SIGNED_IN.where(any_of(AuthSession.id, "auth_session_keys"))
_AUDIENCE = audience()


class Shared:
    """Runs each reading once for all callers that request it before it begins, and a few readings at a time."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._waiting: dict[Hashable, asyncio.Task[Any]] = {}

    async def get(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """Returns what a reading that begins from now on returns; those with the same key must return the same."""
        task = self._waiting.get(key)
        if task is None:
            task = self._waiting[key] = asyncio.create_task(self._run(key, read))
            # If all callers were cancelled, its error is read by none.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        found: T = await asyncio.shield(task)
        return found

    async def _run(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        try:
            await asyncio.sleep(_GATHER_SECONDS)
            await self._turn.acquire()
        finally:
            # A caller from now on may call because of a change that this reading does not see.
            self._waiting.pop(key, None)
        try:
            return await read()
        finally:
            self._turn.release()


class Together(Generic[K, V]):
    """Collects the keys of concurrent callers and reads them with one call."""

    def __init__(self, read: Callable[[set[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._keys: set[K] = set()
        self._shared = Shared()

    async def get(self, key: K) -> V | None:
        """Returns what was read for the key; None if there is nothing."""
        self._keys.add(key)
        return (await self._shared.get(None, self._read_all)).get(key)

    async def _read_all(self) -> Mapping[K, V]:
        keys, self._keys = self._keys, set()
        return await self._read(keys)


class LiveReadings:
    """The readings that the streams of one process share."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._viewers: Together[AccessClaims, Viewer] = Together(self._read_viewers)
        self._audiences, self._readings = Shared(), Shared()

    async def viewer(self, claims: AccessClaims) -> Viewer | None:
        """Returns the viewer of an access token as they are now; None once they are signed out."""
        return await self._viewers.get(claims)

    async def sees_any(self, viewer: Viewer, learner_keys: frozenset[int]) -> bool:
        """Returns whether the viewer sees any of the learners, from one statement for all viewers of a provider."""
        if viewer.role in ADMINS:
            return True
        provider_key = viewer.provider_key

        async def read() -> set[tuple[str, int]]:
            parameters = {"keys": sorted(learner_keys), "viewer_provider": provider_key}
            rows = await self._database.rows(_AUDIENCE, parameters, primary=True)
            return {(row.role, row.user_key) for row in rows}

        found = await self._audiences.get((provider_key, learner_keys), read)
        return (viewer.role.name, viewer.user_key) in found

    async def shared(self, viewer: Viewer, of: Hashable, read: Callable[[], Awaitable[T]], by_user: bool = True) -> T:
        """Returns a reading that viewers with one scope share. `of`: what is read.

        `by_user`: what admins read depends on who they are, and not just on their provider.
        """
        whose = viewer.user_key if by_user or viewer.role not in ADMINS else None
        return await self._readings.get((viewer.provider_key, viewer.role, whose, viewer.rules, of), read)

    async def _read_viewers(self, claims: set[AccessClaims]) -> Mapping[AccessClaims, Viewer]:
        parameters = {"auth_session_keys": sorted({each.auth_session_key for each in claims}), "moment": clock.now()}
        rows = {
            (row.auth_session_id, row.user_id, row.role): row
            for row in await self._database.rows(_SESSIONS, parameters, primary=True, stand_in=True)
        }
        return {
            each: viewer_of_session(row, each.expires_at)
            for each in claims
            if (row := rows.get((each.auth_session_key, each.user_key, each.role))) is not None
        }
