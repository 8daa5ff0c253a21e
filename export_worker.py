"""The process that makes one bulk export: `python -m export_worker`, started by `services/exports/process.py`.

It reads its job as JSON from its standard input, and writes a JSON object a line: `asOf`, `rows`, and at the end `done`
or `failure`. It ends when its input does, because the server has ended then. Its memory is its own: the server's does
not grow with the file, and its event loop has nothing to do with the rows.
"""

import asyncio
import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import Any, BinaryIO, cast

from graphql.execution import execute
from strawberry.execution import optimized_is_awaitable

from auth.signed_urls import SignedUrls
from auth.viewer import NotSignedIn, Viewer
from auth.viewer_in_role import read_viewer_in_role
from db.database import Database
from db.postgres_connection import ConnectionOptions, Pooler
from db.priority import BACKGROUND, lower_process_priority
from db.snapshot_reads import one_snapshot
from db.worker_process import own_output
from domain import clock
from domain.enums import Role
from loaders.core.qualification_cache import QualificationCache
from queries.bulk import WrongId, write_all
from queries.errors import UsageError
from queries.file_writers import WRITERS
from queries.operations import get_query
from queries.parquet_pieces import EXPORT, ROWS, RowsWriter, become, end_with_input
from resolvers.core.context import Context, Services
from schema.root import make_schema

# A page of much below each entry still fits in memory with the rows that wait to be written.
_PAGE = 20
# Lines about the number of rows are at least so far apart.
_REPORT_SECONDS = 1.0
# Where messages go; set at the start.
_output: BinaryIO | None = None
_IS_AWAITABLE: Any = optimized_is_awaitable  # graphql-core expects a type guard


class OperationFailed(Exception):
    """The operation has errors."""


def _say(**values: Any) -> None:
    assert _output is not None
    _output.write(json.dumps(values).encode() + b"\n")
    _output.flush()


async def make(job: Mapping[str, Any]) -> int | None:
    """Makes the export of a job and reports it. For Parquet it only writes the rows, and returns their number."""
    database = Database(job["database"], options=ConnectionOptions(None, Pooler(job["pooler"])))
    try:
        async with one_snapshot(database):
            as_of = clock.now()
            viewer = await read_viewer_in_role(database, job["user"], Role(job["role"]))
            _say(asOf=as_of.isoformat())
            runner = _Runner(database, viewer)
            folder = Path(job["folder"])
            loop = asyncio.get_running_loop()

            def run(operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
                return asyncio.run_coroutine_threadsafe(runner.run(operation, variables), loop).result()

            writer, name = (RowsWriter, ROWS) if job["format"] == "parquet" else (WRITERS[job["format"]], EXPORT)
            write = partial(write_all, job["operation"], job["variables"], run, writer)
            write = partial(write, folder / name, folder, as_of, _Reporter().rows, page_size=_PAGE)
            count = (await asyncio.to_thread(write)).count
            if writer is RowsWriter:
                return count
            _say(rows=count, done=True)
    except NotSignedIn:
        _say(failure="ROLE_ENDED")
    except (OperationFailed, WrongId):
        _say(failure="OPERATION_FAILED")
    except UsageError:
        _say(failure="TOO_MANY_ROWS")
    except OSError:
        _say(failure="NO_SPACE")
    finally:
        await database.close()
    return None


class _Runner:
    """Runs saved operations as one viewer, each time with new loaders."""

    def __init__(self, database: Database, viewer: Viewer) -> None:
        self._schema: Any = make_schema()
        self._viewer = viewer
        nothing = cast(Any, None)
        self._services = Services(
            database=database, files=nothing, tokens=nothing, one_time_secrets=nothing, lasting_links=nothing,
            changes=nothing, qualifications=QualificationCache(database), mail=nothing, push=nothing,
            base_url="",
            # Links of an export are for nobody: a link is valid while a person is signed in.
            links=SignedUrls(secrets.token_bytes(32)),
        )  # fmt: skip

    async def run(self, operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the data. Raises OperationFailed."""
        context = Context(self._services, self._viewer)
        result: Any = execute(
            self._schema._schema, get_query(operation).document, context_value=context, variable_values=dict(variables),
            executor_class=self._schema.execution_context_class, is_awaitable=_IS_AWAITABLE,
        )  # fmt: skip
        if isawaitable(result):
            result = await result
        context.close()
        if result.errors or result.data is None:
            raise OperationFailed
        data: dict[str, Any] = result.data
        return data


class _Reporter:
    def __init__(self) -> None:
        self._last = 0.0

    def rows(self, count: int) -> None:
        """Says how many rows there are, from time to time."""
        if time.monotonic() - self._last >= _REPORT_SECONDS:
            self._last = time.monotonic()
            _say(rows=count)


def main() -> None:
    """Reads the job, makes the export and ends."""
    global _output
    os.umask(0o077)
    _output = own_output()
    lower_process_priority(BACKGROUND)
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=end_with_input, args=(job["folder"],), daemon=True).start()
    count = asyncio.run(make(job))
    if count is not None:
        become(Path(job["folder"]), count, _output)
    # Without waiting for the threads of libraries.
    os._exit(0)


if __name__ == "__main__":
    main()
