"""Saved queries as files: `GET /reports/NAME.csv?variable=value`, with an access token or an access key.

A spreadsheet, Power Query, pandas or DuckDB reads such an address directly. Each page is an operation with its cost
and its limits, as through /graphql.
"""

import asyncio
import datetime as dt
import os
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from domain import clock
from services.exports.own_folder import REPORT, OwnFolder
from services.storage.file_store import READ_CHUNK, FileStore
from services.storage.transfers import GeneratedExport, StoredDownload
from transport.files.downloads import ExportResponse, send_stored
from transport.files.service import FileError
from transport.graphql.errors import BAD_USER_INPUT
from transport.graphql.operation_context import OperationContext, close_context
from transport.pages.reports_page import reports_page
from transport.report_execution import Execute, Refused, ReportExecution, refusal_response

log = structlog.get_logger(__name__)

# When the rows of a report were read.
AS_OF_HEADER = "waymark-as-of"
CACHING = {"cache-control": "private, no-cache", "vary": "Authorization"}


class Reports(Protocol):
    """What makes reports of the saved queries."""

    media_types: Mapping[str, str]
    # What the methods raise: its message is for the client.
    error: type[Exception]

    @property
    def names(self) -> Collection[str]:
        """The names of the reports."""

    def describe(self) -> list[dict[str, Any]]:
        """Returns the name, the description and the variables of each report."""

    def variables(self, name: str, given: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Returns the variables, parsed by their types. Raises `error`."""

    def write(
        self,
        name: str,
        variables: Mapping[str, Any],
        execute: Execute,
        format: str,
        as_of: dt.datetime,
        folder: Path,
    ) -> tuple[Path, str]:
        """Writes the file with all pages to `folder`; returns it, and a digest of its rows without `as_of`.

        Raises `error`. `execute` runs one page of a saved query, by its name.
        """


class BulkExports(Protocol):
    """The files of bulk exports."""

    files: FileStore

    async def bulk_download_of(self, viewer: Any, id: str) -> StoredDownload | None:
        """Returns the file of a viewer's export; None if there is none."""


class ReportEndpoint:
    """The ASGI endpoint of the reports."""

    def __init__(self, execution: ReportExecution, reports: Reports, bulk_exports: BulkExports) -> None:
        self._execution = execution
        self._reports = reports
        self._bulk_exports = bulk_exports

    def routes(self, page_folder: Path) -> list[BaseRoute]:
        """Returns the routes of the reports, and of their page, whose files are in `page_folder`."""
        bulk = Route("/reports/exports/{id}", self.bulk_export, methods=["GET", "HEAD"])
        files = Route("/reports/{file}", self, methods=["GET", "HEAD"])
        return [*reports_page(page_folder, self.index), bulk, files]

    async def index(self, request: Request) -> Response:
        """Lists the reports, for who has an access token or an access key."""
        try:
            await close_context(await self._execution.context(request))
        except Refused as refusal:
            return refusal_response(refusal)
        return Response(
            orjson.dumps(self._reports.describe()),
            media_type="application/json",
            headers={**CACHING, "vary": "Accept, Authorization"},
        )

    async def bulk_export(self, request: Request) -> Response:
        """Sends the file of a bulk export to its user, who has an access token or an access key."""
        try:
            context = await self._execution.context(request)
            try:
                stored = await self._bulk_exports.bulk_download_of(context.viewer, request.path_params["id"])
            finally:
                await close_context(context)
            if stored is None:
                message = "There is no such export, it is not done, or it was deleted. Start it again."
                raise Refused(404, "NOT_FOUND", message)
            return await send_stored(request, stored, self._bulk_exports.files)
        except Refused as refusal:
            return refusal_response(refusal)
        except FileError as error:
            return refusal_response(Refused(error.status, "INTERNAL", str(error)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._report(request)
        except Refused as refusal:
            response = refusal_response(refusal)
        await response(scope, receive, send)

    async def _report(self, request: Request) -> Response:
        name, _, format = request.path_params["file"].rpartition(".")
        context = await self._execution.context(request)
        try:
            if format not in self._reports.media_types or name not in self._reports.names:
                formats = ", ".join(self._reports.media_types)
                message = f"There is no such report. GET /reports lists the names; the formats are {formats}."
                raise Refused(404, "NOT_FOUND", message)
            as_of = clock.now()
            file, digest, release = await self._made(request, context, name, format, as_of)
        finally:
            await close_context(context)
        report = GeneratedExport(f"{name}.{format}", self._reports.media_types[format], file, release)
        # Weak: the moment of reading, which is in the file, is no change.
        etag = f'"{digest}-{format}"'
        headers = {
            **CACHING, "etag": f"W/{etag}", "x-content-type-options": "nosniff", AS_OF_HEADER: as_of.isoformat()
        }  # fmt: skip
        if is_known(etag, request):
            report.close()
            return Response(status_code=304, headers=headers)
        headers["content-disposition"] = f'attachment; filename="{report.name}"'
        headers["content-length"] = str(os.fstat(file.fileno()).st_size)
        response = StreamingResponse(_content(file), media_type=report.content_type, headers=headers)
        return ExportResponse(response, report)

    async def _made(
        self, request: Request, context: OperationContext, name: str, format: str, as_of: dt.datetime
    ) -> tuple[BinaryIO, str, Callable[[], None]]:
        """Returns the open file, which has no name any more, its digest, and what is called once it has been sent."""
        try:
            variables = self._reports.variables(name, request.query_params.multi_items())

            def work(execute: Execute) -> tuple[BinaryIO, str]:
                with OwnFolder(REPORT) as folder:
                    path, digest = self._reports.write(name, variables, execute, format, as_of, folder)
                    return path.open("rb"), digest

            (file, digest), release = await self._execution.make_held(request, context, work)
            return file, digest, release
        except self._reports.error as error:
            raise Refused(400, BAD_USER_INPUT, str(error)) from None
        except OSError as error:
            log.error("report_failed", cause=type(error).__name__, errno=error.errno)
            message = "The server has no room for the report at the moment. Try again later."
            raise Refused(503, "INTERNAL", message, **{"retry-after": "60"}) from None


async def _content(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, READ_CHUNK):
        yield chunk


def is_known(etag: str, request: Request) -> bool:
    """Whether the client has the version with this tag; `W/` is ignored."""
    sent = request.headers.get("if-none-match", "").split(",")
    return etag in (each.strip().removeprefix("W/") for each in sent)
