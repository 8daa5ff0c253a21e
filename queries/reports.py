"""Saved queries as files over HTTP: `server.py` gives this to the transport, which knows nothing of the queries.

Messages name a variable and what it takes, and never repeat what was sent.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from .bulk import WrongId, write_all
from .descriptions import describe_columns, describe_inputs
from .errors import ServerError, UsageError
from .operations import SavedOperation, saved_operations
from .pagination import paginated_connections
from .variables import describe_type, describe_variables, parse_variables, validate_variables, variable_types

# Rows that are in memory before they are written, beside a page: several reports are made at a time.
_PIECE = 5_000
# The media type of each format.
MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ReportError(Exception):
    """A report cannot be made from the request; the message says how to send it."""


@cache
def _queries() -> dict[str, SavedOperation]:
    """Returns the saved queries whose pages can all be fetched, by name."""
    found = {}
    for name, operation in saved_operations().items():
        if operation.is_query:
            try:
                paginated_connections(operation)
            except UsageError:
                continue
            found[name] = operation
    return found


@cache
def _described() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "description": each.description,
            # The first lines say for whom it is.
            "forAnalysts": "For analysts" in each.description,
            "variables": describe_variables(each),
            "inputs": describe_inputs(each),
            "columns": describe_columns(each),
        }
        for name, each in _queries().items()
    ]


class Reports:
    """The reports of this version."""

    media_types: Mapping[str, str] = MEDIA_TYPES
    error: type[Exception] = ReportError

    @property
    def names(self) -> frozenset[str]:
        """The names of the reports."""
        return frozenset(_queries())

    def describe(self) -> list[dict[str, Any]]:
        """Returns what each report is, its variables as lines and as the inputs of a form, and its columns."""
        return _described()

    def variables(self, name: str, given: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Returns the variables of a report, parsed by their types. Raises ReportError."""
        operation = _queries()[name]
        types = variable_types(operation)
        if any(path.split(".")[0] not in types for path, _ in given):
            known = f"Its variables are: {', '.join(types)}." if types else "It has none."
            raise ReportError(f"This report has no variable of a name that was given. {known}")
        pairs = [f"{path}={value}" for path, value in given]
        try:
            return parse_variables(operation, pairs)
        except UsageError:
            raise ReportError(self._problem(operation, given)) from None

    def parse_json(self, name: str, text: str | None) -> dict[str, Any] | None:
        """Returns the variables of a report from a JSON object, checked by their types; None if they do not fit."""
        try:
            given = json.loads(text or "{}")
            return validate_variables(_queries()[name], given) if isinstance(given, dict) else None
        except (ValueError, RecursionError, UsageError):
            return None

    def _problem(self, operation: SavedOperation, given: Sequence[tuple[str, str]]) -> str:
        types = variable_types(operation)
        named = {path.split(".")[0] for path, _ in given}
        for name, type_ in types.items():
            expected = f"{name}: give {describe_type(type_)}."
            if name not in named:
                if str(type_).endswith("!"):
                    return expected
                continue
            try:
                parse_variables(operation, [f"{path}={value}" for path, value in given if path.split(".")[0] == name])
            except UsageError as error:
                # Where only another variable is missing, this one is right.
                if "is missing" not in str(error) or f"Variable {name}" in str(error):
                    return expected
        return "The variables do not fit together."

    def write(
        self,
        name: str,
        variables: Mapping[str, Any],
        execute: Callable[[str, Mapping[str, Any]], dict[str, Any]],
        format: str,
        as_of: dt.datetime,
        folder: Path,
    ) -> tuple[Path, str]:
        """Writes the file with all pages of a report to `folder`; returns it, and a digest of its rows without `asOf`.

        `execute` runs one page of a saved query, by its name. Raises ReportError.
        """
        path = folder / "report"
        try:
            written = write_all(
                name, variables, execute, format, path, folder, as_of, piece_rows=_PIECE, with_digest=True
            )
        except WrongId as error:
            raise ReportError(str(error)) from None
        except (ServerError, UsageError):
            raise ReportError("The list changed while it was read, or has too many rows for this format.") from None
        return path, written.digest
