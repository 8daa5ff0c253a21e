"""Writes everything that a saved operation gives to a file, piece by piece: for bulk exports and reports."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .columns import Columns
from .errors import UsageError
from .file_writers import WRITERS, FileWriter
from .operations import get_query
from .record_ids import OPERATION as RECORD_IDS
from .record_ids import check_record_ids
from .result import AS_OF
from .streaming import fetch_pieces
from .variables import variable_types

# Runs a saved operation once, by its name, with these variables, and returns its data.
Run = Callable[[str, Mapping[str, Any]], dict[str, Any]]

# The variable for the size of a page, where an operation has one.
_SIZE = "first"


class WrongId(Exception):
    """A variable has an id of no record that the viewer may see. The message names the variable."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. `digest` is of the rows without `asOf`; empty if it was not requested."""

    count: int
    digest: str


def write_all(
    name: str,
    variables: Mapping[str, Any],
    run: Run,
    format: str | type[FileWriter],
    path: Path,
    folder: Path,
    as_of: dt.datetime,
    on_rows: Callable[[int], None] = lambda count: None,
    piece_rows: int = 10_000,
    page_size: int | None = None,
    with_digest: bool = False,
) -> Written:
    """Writes all pages of a query as of a time to `path`, in a format or with a writer. `folder` is for what is needed
    until then.

    `on_rows` is called after each page. `piece_rows` rows, and a page, are in memory before they are written. Raises
    WrongId, UsageError for more rows than the format holds, ServerError, and what `run` raises.
    """
    operation = get_query(name)
    try:
        check_record_ids(operation, variables, lambda ids: run(RECORD_IDS, ids))
    except UsageError as error:
        raise WrongId(str(error)) from None
    given = dict(variables)
    if page_size is not None and _SIZE in variable_types(operation):
        given.setdefault(_SIZE, page_size)
    columns = Columns(operation.shape)
    made_by = WRITERS[format] if isinstance(format, str) else format
    writer = made_by(operation.name, [*columns.columns, AS_OF], path, folder)
    count, digest = 0, hashlib.blake2b(digest_size=16)

    def write() -> None:
        rows, values = len(columns), columns.take()
        if with_digest:
            digest.update(json.dumps(values, default=str).encode())
        writer.write([*values, [as_of.isoformat()] * rows])

    for piece in fetch_pieces(operation, given, lambda values: run(name, values)):
        before = len(columns)
        columns.add(piece.data)
        count += len(columns) - before
        if len(columns) >= piece_rows:
            write()
        on_rows(count)
    if len(columns) or not count:
        write()
    writer.finish()
    return Written(count, digest.hexdigest() if with_digest else "")
