"""Runs the reads of one operation: binds the viewer to scoped statements, which are built once for each role."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import CompoundSelect, Select

from auth import scope
from auth.viewer import Viewer
from db.database import Database
from domain import clock
from loaders.core.qualification_cache import QualificationCache
from loaders.core.rows import LightRow

R = TypeVar("R", bound=LightRow)
F = TypeVar("F", bound=Callable[..., Any])


def cached_statement(build: F) -> F:
    """Caches the statements that a function builds, by its arguments.

    The arguments are the role and the shape of the request, never values: those are bound when the statement runs.
    """
    return lru_cache(maxsize=256)(build)  # type: ignore[return-value]  # the wrapper has the same signature


@dataclass(slots=True)
class ReadSession:
    """What one operation reads with. All its reads use the same time and day.

    `primary`: reads go to the primary database, not to a replica. `export`: and on the connections of exports.
    """

    database: Database
    viewer: Viewer
    qualifications: QualificationCache
    primary: bool = False
    export: bool = False
    now: dt.datetime = field(default_factory=clock.now)
    # The day in London.
    today: dt.date = field(init=False)

    def __post_init__(self) -> None:
        self.today = clock.day_of(self.now)

    async def rows(self, statement: Select | CompoundSelect, **parameters: Any) -> Sequence[Any]:
        """Returns all rows of a scoped statement as named tuples."""
        return await self.database.rows(statement, self._bound(parameters), self.primary, self.export)

    async def read(self, row: type[R], statement: Select | CompoundSelect, **parameters: Any) -> list[R]:
        """Returns all rows of a scoped statement whose columns are those of a light row."""
        columns = await self.database.columns(statement, self._bound(parameters), self.primary, self.export)
        return self._built(row, columns)

    async def read_with(
        self, row: type[R], statement: Select | CompoundSelect, leading: Sequence[str], **parameters: Any
    ) -> tuple[dict[str, Iterable[Any]], list[R]]:
        """As `read`, for a statement with further columns before those of the row.

        `leading` names them in order. Returns them by name, each as long as the list of rows, and the rows.
        """
        columns = await self.database.columns(statement, self._bound(parameters), self.primary, self.export)
        if not columns:
            return dict.fromkeys(leading, ()), []
        return dict(zip(leading, columns, strict=False)), self._built(row, columns[len(leading) :])

    def _bound(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {**scope.viewer_params(self.viewer), **parameters}

    def _built(self, row: type[R], columns: list[Iterable[Any]]) -> list[R]:
        rows = list(row.build(columns)) if columns else []
        row.derive(rows, self)
        return rows
