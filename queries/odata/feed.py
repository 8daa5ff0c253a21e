"""The service: its documents, and the pages of its entity sets."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..columns import Columns
from ..errors import ServerError, UsageError
from ..operations import saved_operations
from ..record_ids import OPERATION as RECORD_IDS
from ..record_ids import check_record_ids
from ..reports import ReportError, Reports
from ..streaming import fetch_pieces
from .errors import ODataError
from .functions import FUNCTIONS
from .metadata import metadata_document
from .model import EntitySet
from .options import Options, Position, parse_options

# The fewest rows of a page, except the last: several pages of the API, up to the end of the last of them.
PAGE_ROWS = 5_000
# Rows of an answer that $orderby sorts, which are in memory together.
MOST_SORTED = 100_000


@dataclass(frozen=True, slots=True)
class ODataPage:
    """The rows of an answer as objects; `count` if it was requested, `next` the query of the next page's address.

    `selected`: the properties that $select names. `digest` is of what is in the rows beside `asOf`.
    """

    rows: list[dict[str, Any]]
    count: int | None
    next: list[tuple[str, str]] | None
    selected: list[str] | None
    digest: str


@dataclass(slots=True)
class _Reading:
    """What has been read for one answer. `number` counts all rows of the report, `found` those of $filter."""

    number: int
    skip: int
    top: int | None
    found: int = 0
    rows: list[tuple[Any, ...]] = field(default_factory=list)


@cache
def entity_sets() -> dict[str, EntitySet]:
    """Returns the entity sets by name."""
    reports, operations = Reports(), saved_operations()
    names = [each["name"] for each in reports.describe() if each["forAnalysts"]]
    return {name: EntitySet(operations[name]) for name in names}


@cache
def _metadata() -> bytes:
    return metadata_document(entity_sets().values(), FUNCTIONS)


class ODataFeed:
    """The reports for analysts as entity sets. `error` is what the methods raise, with `status` and `target`."""

    error: type[ODataError] = ODataError

    @property
    def names(self) -> Collection[str]:
        """The names of the entity sets."""
        return entity_sets().keys()

    def sets(self, names: Collection[str]) -> list[dict[str, str]]:
        """Returns the entries of the service document: the sets of these names, or all, that need no variables."""
        return [
            {"name": name, "title": each.operation.title, "kind": "EntitySet", "url": name}
            for name, each in entity_sets().items()
            if not each.needs_variables and (not names or name in names)
        ]

    def metadata(self) -> bytes:
        """Returns the metadata document."""
        return _metadata()

    def options(self, name: str, given: Sequence[tuple[str, str]]) -> Options:
        """Returns what the query of an address asks for. Raises ODataError."""
        entity_set = entity_sets()[name]
        options = parse_options(entity_set, given)
        try:
            options.variables = Reports().variables(name, options.given)
        except ReportError as error:
            raise ODataError(str(error), "variables") from None
        return options

    def count(self, name: str, options: Options, execute: Callable[[str, Mapping[str, Any]], dict[str, Any]]) -> int:
        """Returns how many rows fit $filter. `execute` runs a saved query by its name. Raises ODataError."""
        options.count, options.top, options.order = True, 0, []
        page = self.read(name, options, execute, dt.datetime.now(dt.UTC))
        assert page.count is not None
        return page.count

    def read(
        self,
        name: str,
        options: Options,
        execute: Callable[[str, Mapping[str, Any]], dict[str, Any]],
        as_of: dt.datetime,
    ) -> ODataPage:
        """Returns a page of rows as of a time. `execute` runs a saved query by its name. Raises ODataError."""
        entity_set = entity_sets()[name]
        try:
            check_record_ids(entity_set.operation, options.variables, lambda ids: execute(RECORD_IDS, ids))
            reading, cursor = self._rows(entity_set, options, lambda values: execute(name, values), as_of)
        except UsageError as error:
            raise ODataError(str(error), "variables") from None
        except ServerError:
            raise ODataError("The list changed while it was read. Ask for the first page again.") from None
        rows = _sorted(reading.rows, options)
        following = None
        if cursor is not None:
            following = options.after(Position(cursor, reading.number, reading.skip, reading.top))
        selected = options.select or [each.name for each in entity_set.properties]
        places = [(each, entity_set.by_name[each].index) for each in selected]
        digest = hashlib.blake2b(digest_size=16)
        for row in rows:
            digest.update(json.dumps(row[:-1]).encode())
        digest.update(json.dumps([following, options.select, reading.found if options.count else None]).encode())
        return ODataPage(
            [{each: row[index] for each, index in places} for row in rows],
            reading.found if options.count else None,
            following,
            options.select,
            digest.hexdigest(),
        )

    def _rows(
        self,
        entity_set: EntitySet,
        options: Options,
        execute: Callable[[Mapping[str, Any]], dict[str, Any]],
        as_of: dt.datetime,
    ) -> tuple[_Reading, str | None]:
        """Returns what was read, and where the next page begins."""
        start = options.position
        # Sorting is before the choice of a part.
        chosen_later = bool(options.order)
        reading = _Reading(start.number, 0 if chosen_later else start.skip, None if chosen_later else start.top)
        following: str | None = None
        is_full, reached = False, 0
        columns = Columns(entity_set.operation.shape)
        for piece in fetch_pieces(entity_set.operation, options.variables, execute, start.cursor):
            columns.add(piece.data)
            self._choose(reading, columns, options, as_of.isoformat(), is_full)
            if is_full:
                continue
            if len(reading.rows) > MOST_SORTED and chosen_later:
                message = f"$orderby sorts at most {MOST_SORTED:,} rows. Ask for fewer with $filter."
                raise ODataError(message, "$orderby")
            if reading.top == 0 or (len(reading.rows) >= PAGE_ROWS and not chosen_later):
                is_full, reached = True, reading.number
                following = piece.cursor if reading.top != 0 else None
                if not options.count:
                    break
        if is_full:
            reading.number = reached
        return reading, following

    @staticmethod
    def _choose(reading: _Reading, columns: Columns, options: Options, as_of: str, only_count: bool) -> None:
        for values in zip(*columns.take(), strict=True):
            reading.number += 1
            row = (reading.number, *values, as_of)
            if options.filter is not None and not options.filter(row):
                continue
            reading.found += 1
            if only_count or reading.top == 0:
                continue
            if reading.skip:
                reading.skip -= 1
                continue
            reading.rows.append(row)
            if reading.top is not None:
                reading.top -= 1


def _sorted(rows: list[tuple[Any, ...]], options: Options) -> list[tuple[Any, ...]]:
    if not options.order:
        return rows
    for key in reversed(options.order):
        value = key.value

        def order(row: tuple[Any, ...], value: Callable[[tuple[Any, ...]], Any] = value) -> tuple[bool, Any]:
            found = value(row)
            return found is not None, found if found is not None else 0

        rows.sort(key=order, reverse=key.descending)
    end = None if options.position.top is None else options.position.skip + options.position.top
    return rows[options.position.skip : end]
