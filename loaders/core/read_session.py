"""What every loader reads with: the viewer, the moment, and scoped statements that are built once a role."""

import datetime as dt
from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Executable, Row

from auth import scope
from auth.viewer import Viewer
from db.database import Database
from domain import clock
from loaders.core.dataloader import BaseLoader
from loaders.core.qualification_cache import QualificationCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# Statements depend on the role and on which arguments are set, never on their values: each shape is built once.
cached_statement: Callable[[Callable[..., Any]], Callable[..., Any]] = lru_cache(maxsize=256)


@dataclass(slots=True)
class ReadSession:
    """One operation's reads: who is looking, from where, at which moment. All its numbers speak of the same day."""

    database: Database
    viewer: Viewer
    qualifications: QualificationCache
    primary: bool = False
    now: dt.datetime = field(default_factory=clock.now)
    # The day in London.
    today: dt.date = field(init=False)

    def __post_init__(self) -> None:
        self.today = clock.day_of(self.now)

    async def rows(self, statement: Executable, **parameters: Any) -> Sequence[Row[Any]]:
        """All rows of a scoped statement; the viewer is bound here."""
        return await self.database.rows(statement, {**scope.viewer_params(self.viewer), **parameters}, self.primary)


class OneLoader(BaseLoader[K, V | None], Generic[K, V]):
    """For each key one row, or None where there is none that the viewer sees."""

    def __init__(self, reading: ReadSession) -> None:
        super().__init__()
        self.reading = reading

    async def read(self, keys: list[K]) -> list[V | None]:
        found = await self.fetch(keys)
        return [found.get(key) for key in keys]

    @abstractmethod
    async def fetch(self, keys: list[K]) -> dict[K, V]:
        """The rows there are, by key, in one statement."""


class ManyLoader(BaseLoader[K, list[V]], Generic[K, V]):
    """For each key a list of rows, empty where there are none that the viewer sees."""

    def __init__(self, reading: ReadSession) -> None:
        super().__init__()
        self.reading = reading

    async def read(self, keys: list[K]) -> list[list[V]]:
        found = await self.fetch(keys)
        return [found.get(key, []) for key in keys]

    @abstractmethod
    async def fetch(self, keys: list[K]) -> dict[K, list[V]]:
        """The rows there are, by key and in order, in one statement."""
