"""Bulk exports: the server makes a file of everything that a query gives, and the client downloads it."""

import datetime as dt
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .client import Client
from .errors import ServerError, UsageError
from .operations import SavedOperation, get_operation, get_query
from .record_ids import OPERATION as RECORD_IDS
from .record_ids import check_record_ids
from .runner import DEFAULT_URL, SignIn, credentials
from .saving import check_folder, save_bytes
from .variables import validate_variables

# The formats of the files, by the extensions of their names.
FORMATS = ("csv", "json", "parquet", "xlsx")
# The pauses between two requests for the state of an export, in seconds: short at first, because most files are small.
_PAUSES = (0.5, 0.5, 1.0, 1.0)
_LATER = 2.0

# Called with `rows` and how many the server has written, then with `bytes` and how many were downloaded.
Progress = Callable[[str, int], None]


class ExportFailed(ServerError):
    """The server could not make the file, or has deleted it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An export that was downloaded. `as_of`: the moment that all its rows are about."""

    id: str
    rows: int
    as_of: dt.datetime
    size: int


def export(
    name: str,
    path: str | Path,
    *,
    format: str | None = None,
    url: str | None = None,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    role: str | None = None,
    **variables: Any,
) -> Exported:
    """Downloads a file of everything that a saved query gives, as of one moment; no row of it is in memory.

    `format`: csv, json, parquet or xlsx; by the extension of the file if it is not given. Other arguments as those of
    `run`. Raises UsageError before a request is sent, AuthenticationError or ServerError.
    """
    operation = get_query(name)
    chosen = choose_format(Path(path), format)
    check_folder(Path(path))
    validated = validate_variables(operation, variables)
    sign_in = credentials(username, password, token, role)
    return fetch_export(operation, validated, Path(path), chosen, url, sign_in)


def choose_format(path: Path, format: str | None) -> str:
    """Returns the given format, else the one of the file's extension. Raises UsageError."""
    chosen = format or path.suffix.removeprefix(".").lower()
    if chosen not in FORMATS:
        raise UsageError(
            f"An export is a file of the format {', '.join(FORMATS)}. Name the file so, or give the format."
        )
    return chosen


def fetch_export(
    operation: SavedOperation,
    variables: Mapping[str, Any],
    path: Path,
    format: str,
    url: str | None,
    sign_in: SignIn,
    on_progress: Progress = lambda unit, done: None,
    on_wait: Callable[[str], None] = lambda message: print(message, file=sys.stderr),
    on_start: Callable[[str], None] = lambda id: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Exported:
    """As `export`, with variables that were validated. `on_start` gets the id of the export, which the server goes on
    making if this is interrupted."""
    with Client(url or os.environ.get("WAYMARK_URL") or DEFAULT_URL, on_wait, sleep) as client:
        sign_in(client)
        check_record_ids(operation, variables, lambda ids: client.execute(get_query(RECORD_IDS), ids).data)
        id = _start(client, operation, variables, format)
        on_start(id)
        made = _wait_for(client, id, on_progress, sleep)
        return _download(client, made, path, on_progress)


def fetch_made(
    id: str,
    path: Path,
    url: str | None,
    sign_in: SignIn,
    on_progress: Progress = lambda unit, done: None,
    on_wait: Callable[[str], None] = lambda message: print(message, file=sys.stderr),
    sleep: Callable[[float], None] = time.sleep,
) -> Exported:
    """Downloads an export that was started before, by this client, on the page of reports or by a schedule."""
    with Client(url or os.environ.get("WAYMARK_URL") or DEFAULT_URL, on_wait, sleep) as client:
        sign_in(client)
        return _download(client, _wait_for(client, id, on_progress, sleep), path, on_progress)


def _start(client: Client, operation: SavedOperation, variables: Mapping[str, Any], format: str) -> str:
    given = {"operation": operation.name, "variables": json.dumps(variables), "format": format.upper()}
    payload = client.execute(get_operation("bulk_export_start"), given).data["bulkExportStart"]
    if payload["errors"]:
        raise ServerError(" ".join(error["message"] for error in payload["errors"]))
    started: str = payload["bulkExport"]["id"]
    return started


def _wait_for(client: Client, id: str, on_progress: Progress, sleep: Callable[[float], None]) -> Mapping[str, Any]:
    """Waits until an export is done and returns it. Raises ServerError if it failed, or is not there."""
    pauses = iter(_PAUSES)
    while True:
        own = client.execute(get_query("report_orders"), {}).data["viewer"]["bulkExports"]
        found: Mapping[str, Any] | None = next((each for each in own if each["id"] == id), None)
        if found is None:
            raise ExportFailed("There is no such export in this role, or it was deleted. Start it again.")
        if found["status"] == "FAILED":
            raise ExportFailed(f"The export failed. {found['failure']}")
        on_progress("rows", found["rowCount"])
        if found["status"] == "DONE":
            return found
        sleep(next(pauses, _LATER))


def _download(client: Client, made: Mapping[str, Any], path: Path, on_progress: Progress) -> Exported:
    size = 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for chunk in client.download(f"reports/exports/{made['id']}"):
            size += len(chunk)
            on_progress("bytes", size)
            yield chunk

    save_bytes(path, counted())
    return Exported(made["id"], made["rowCount"], dt.datetime.fromisoformat(made["asOf"]), size)
