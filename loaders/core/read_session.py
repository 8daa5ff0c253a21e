"""One operation's reads: the viewer, the moment, and scoped statements that are built once for each role."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Executable, Row

from auth import scope
from auth.viewer import Viewer
from db.database import Database
from domain import clock
from loaders.core.qualification_cache import QualificationCache
from loaders.core.rows import LightRow

R = TypeVar("R", bound=LightRow)
F = TypeVar("F", bound=Callable[..., Any])


def cached_statement(build: F) -> F:
    """Keeps the statements that a function builds: they depend on the role and on which arguments are set, never on values."""
    return lru_cache(maxsize=256)(build)  # type: ignore[return-value]


@dataclass(slots=True)
class ReadSession:
    """What one operation reads with. All its numbers speak of the same moment and day.

    `primary`: not from a replica.
    """

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
        """All rows of a scoped statement as named tuples; the viewer is bound here."""
        return await self.database.rows(statement, self._bound(parameters), self.primary)

    async def read(self, row: type[R], statement: Executable, **parameters: Any) -> list[R]:
        """All rows of a scoped statement whose columns are those of a light row."""
        columns = await self.database.columns(statement, self._bound(parameters), self.primary)
        return self._built(row, columns)

    async def read_with(
        self, row: type[R], statement: Executable, leading: int = 1, **parameters: Any
    ) -> tuple[list[Iterable[Any]], list[R]]:
        """As `read`, where so many columns come before the row's: those columns, and the rows beside them."""
        columns = await self.database.columns(statement, self._bound(parameters), self.primary)
        if not columns:
            return [()] * leading, []
        return columns[:leading], self._built(row, columns[leading:])

    def _bound(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {**scope.viewer_params(self.viewer), **parameters}

    def _built(self, row: type[R], columns: list[Iterable[Any]]) -> list[R]:
        rows = list(row.build(columns)) if columns else []
        row.derive(rows, self)
        return rows
