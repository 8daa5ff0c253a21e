"""Runs the reads of one operation: binds the viewer to scoped statements, which are built once for each role."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from auth import scope
from auth.viewer import Viewer
from db.compiled_select import Readable
from db.database import Database
from domain import clock
from loaders.core.qualification_cache import QualificationCache
from loaders.core.rows import LightRow
from loaders.core.shapes import RowReads, Shape, cut_in_thread, cuts_of, shape_of

R = TypeVar("R", bound=LightRow)


@dataclass(slots=True)
class ReadSession:
    """What one operation reads with. All its reads use the same time and day.

    `primary`: reads go to the primary database, not to a replica.
    `reads`: what the fields of the operation read of each row; None if that is not known, so that rows are read whole.
    """

    database: Database
    viewer: Viewer
    qualifications: QualificationCache
    primary: bool = False
    reads: RowReads | None = None
    now: dt.datetime = field(default_factory=clock.now)
    # The day in London.
    today: dt.date = field(init=False)

    def __post_init__(self) -> None:
        self.today = clock.day_of(self.now)

    async def rows(self, statement: Readable, **parameters: Any) -> Sequence[Any]:
        """Returns all rows of a scoped statement as named tuples."""
        return await self.database.rows(statement, self._bound(parameters), self.primary)

    async def read(
        self,
        row: type[R],
        statement: Readable,
        own: Collection[str] | None = None,
        **parameters: Any,
    ) -> list[R]:
        """Returns all rows of a scoped statement whose columns are those of a light row.

        With `own`, the rows have only what the selected fields of the operation need, their key, and the attributes
        that `own` names; without it they are whole.
        """
        _, rows = await self.read_with(row, statement, (), own, **parameters)
        return rows

    async def read_with(
        self,
        row: type[R],
        statement: Readable,
        leading: Sequence[str],
        own: Collection[str] | None = None,
        **parameters: Any,
    ) -> tuple[dict[str, Iterable[Any]], list[R]]:
        """As `read`, for a statement with further columns before those of the row.

        `leading` names them in order. Returns them by name, each as long as the list of rows, and the rows.
        """
        shape = None if own is None or self.reads is None else shape_of(row, own, self.reads)
        if shape is not None:
            cuts, key = cuts_of(statement), (len(leading), shape.positions)
            if key not in cuts:
                cuts[key] = await cut_in_thread(shape, statement, len(leading))
            cut = cuts[key]
            shape, statement = (None, statement) if cut is None else (shape, cut)
        columns = await self.database.columns(statement, self._bound(parameters), self.primary)
        if not columns:
            return dict.fromkeys(leading, ()), []
        built = self._built(row, shape, columns[len(leading) :] if leading else columns)
        return dict(zip(leading, columns, strict=False)), built

    def needs(self, row: type, attribute: str) -> bool:
        """Returns whether the selected fields of the operation may read an attribute of a row."""
        return self.reads is None or row not in self.reads.attributes or attribute in self.reads.attributes[row]

    def _bound(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {**scope.viewer_params(self.viewer), **parameters}

    def _built(self, row: type[R], shape: Shape | None, columns: list[Iterable[Any]]) -> list[R]:
        rows = list(row.build(columns) if shape is None else shape.build(columns))
        if shape is None or shape.derives:
            row.derive(rows, self)
        return rows
