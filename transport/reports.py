"""Saved queries as files: `GET /reports/NAME.csv?variable=value`, with an access token or an access key.

A spreadsheet, Power Query, pandas or DuckDB reads such an address directly. Each page is an operation with its cost
and its limits, as through /graphql.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from auth.viewer import NotSignedIn
from domain import clock
from services.export_slots import ExportSlots, TooManyExports
from services.storage.file_store import FileStore
from services.storage.transfers import StoredDownload
from transport.files.downloads import send_stored
from transport.files.service import FileError
from transport.graphql.errors import BAD_USER_INPUT, NOT_ALLOWED, HttpError, OperationRejected
from transport.graphql.operation_context import OperationContext, close_context
from transport.graphql.operation_log import OperationLog
from transport.graphql.operation_runner import OperationRunner
from transport.graphql.request import GraphQLRequest
from transport.pages.reports_page import reports_page

# Together the pages of a report may wait so long for points of the budget.
MAX_WAIT_SECONDS = 300.0
# When the rows of a report were read.
AS_OF_HEADER = "waymark-as-of"
_CHALLENGE = {"www-authenticate": 'Bearer, Basic realm="Waymark access key", charset="UTF-8"'}
_CACHING = {"cache-control": "private, no-cache", "vary": "Authorization"}


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

    def render(
        self,
        name: str,
        variables: Mapping[str, Any],
        execute: Callable[[str, Mapping[str, Any]], dict[str, Any]],
        format: str,
        as_of: dt.datetime,
    ) -> tuple[bytes, str]:
        """Returns the file with all pages, and a digest of what is in it beside `as_of`. Raises `error`.

        `execute` runs one page of a saved query, by its name.
        """


class BulkExports(Protocol):
    """The files of bulk exports."""

    files: FileStore

    async def bulk_download_of(self, viewer: Any, id: str) -> StoredDownload | None:
        """Returns the file of a viewer's export; None if there is none."""


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


class ReportEndpoint:
    """The ASGI endpoint of the reports."""

    def __init__(
        self,
        runner: OperationRunner,
        reports: Reports,
        slots: ExportSlots,
        bulk_exports: BulkExports,
    ) -> None:
        self._bulk_exports = bulk_exports
        self._runner = runner
        self._reports = reports
        self._slots = slots

    def routes(self, page_folder: Path) -> list[BaseRoute]:
        """Returns the routes of the reports, and of their page, whose files are in `page_folder`."""
        bulk = Route("/reports/exports/{id}", self.bulk_export, methods=["GET", "HEAD"])
        files = Route("/reports/{file}", self, methods=["GET", "HEAD"])
        return [*reports_page(page_folder, self.index), bulk, files]

    async def index(self, request: Request) -> Response:
        """Lists the reports, for who has an access token or an access key."""
        try:
            await close_context(await self._context(request))
        except _Refused as refusal:
            return _refusal(refusal)
        return Response(
            orjson.dumps(self._reports.describe()),
            media_type="application/json",
            headers={**_CACHING, "vary": "Accept, Authorization"},
        )

    async def bulk_export(self, request: Request) -> Response:
        """Sends the file of a bulk export to its user, who has an access token or an access key."""
        try:
            context = await self._context(request)
            try:
                stored = await self._bulk_exports.bulk_download_of(context.viewer, request.path_params["id"])
            finally:
                await close_context(context)
            if stored is None:
                message = "There is no such export, it is not done, or it was deleted. Start it again."
                raise _Refused(404, "NOT_FOUND", message)
            return await send_stored(request, stored, self._bulk_exports.files)
        except _Refused as refusal:
            return _refusal(refusal)
        except FileError as error:
            return _refusal(_Refused(error.status, "INTERNAL", str(error)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._report(request)
        except _Refused as refusal:
            response = _refusal(refusal)
        await response(scope, receive, send)

    async def _report(self, request: Request) -> Response:
        name, _, format = request.path_params["file"].rpartition(".")
        context = await self._context(request)
        try:
            if format not in self._reports.media_types or name not in self._reports.names:
                formats = ", ".join(self._reports.media_types)
                message = f"There is no such report. GET /reports lists the names; the formats are {formats}."
                raise _Refused(404, "NOT_FOUND", message)
            as_of = clock.now()
            content, digest = await self._made(request, context, name, format, as_of)
        finally:
            await close_context(context)
        # Weak: the moment of reading, which is in the file, is no change.
        etag = f'"{digest}-{format}"'
        headers = {
            **_CACHING, "etag": f"W/{etag}", "x-content-type-options": "nosniff", AS_OF_HEADER: as_of.isoformat()
        }  # fmt: skip
        if etag in (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        headers["content-disposition"] = f'attachment; filename="{name}.{format}"'
        return Response(content, media_type=self._reports.media_types[format], headers=headers)

    async def _context(self, request: Request) -> OperationContext:
        try:
            context = await self._runner.make_context(HTTPConnection(request.scope))
        except NotSignedIn as error:
            raise _Refused(401, error.code, str(error), **_CHALLENGE) from None
        if context.viewer is None:
            message = "Send an access token or an access key in the Authorization header, never in the address."
            raise _Refused(401, "UNAUTHENTICATED", message, **_CHALLENGE)
        return context

    async def _made(
        self, request: Request, context: OperationContext, name: str, format: str, as_of: dt.datetime
    ) -> tuple[bytes, str]:
        assert context.viewer is not None
        loop, waited = asyncio.get_running_loop(), 0.0

        async def page(name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
            nonlocal waited
            while True:
                try:
                    return await self._page(request, context, name, variables)
                except HttpError as error:
                    seconds = next((float(value) for key, value in error.headers if key == b"retry-after"), None)
                    if error.status != 429 or seconds is None or waited + seconds > MAX_WAIT_SECONDS:
                        raise
                    waited += seconds
                    await asyncio.sleep(seconds)

        def execute(name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
            return asyncio.run_coroutine_threadsafe(page(name, variables), loop).result()

        try:
            variables = self._reports.variables(name, request.query_params.multi_items())
            release = self._slots.hold(context.viewer.user_key)
            try:
                async with self._slots.making():
                    # In a thread: it puts thousands of rows together.
                    return await asyncio.to_thread(self._reports.render, name, variables, execute, format, as_of)
            finally:
                release()
        except self._reports.error as error:
            raise _Refused(400, BAD_USER_INPUT, str(error)) from None
        except TooManyExports as error:
            raise _Refused(429 if error.own else 503, "BUDGET_SPENT", str(error), **{"retry-after": "10"}) from None
        except OperationRejected as error:
            code = error.errors[0].get("extensions", {}).get("code", BAD_USER_INPUT)
            raise _Refused(403 if code == NOT_ALLOWED else 400, code, error.errors[0]["message"]) from None
        except HttpError as error:
            headers = {key.decode(): value.decode() for key, value in error.headers}
            first = error.errors[0]
            raise _Refused(error.status, first["extensions"]["code"], first["message"], **headers) from None

    async def _page(
        self, request: Request, context: OperationContext, name: str, variables: Mapping[str, Any]
    ) -> dict[str, Any]:
        log = OperationLog(request_id=request.scope.get("state", {}).get("request_id", ""), transport="report")
        log.count_statements()
        try:
            sent = GraphQLRequest(None, variables=dict(variables), document_id=name)
            response = await self._runner.run(await self._runner.prepare(sent, context, log))
            if response.get("errors"):
                raise OperationRejected(response["errors"])
            log.status = 200
            data: dict[str, Any] = orjson.loads(orjson.dumps(response["data"]))
            return data
        except Exception as error:
            raise self._runner.error_response(error, log) from None
        finally:
            self._runner.on_complete(log)


def _refusal(refusal: _Refused) -> Response:
    body = orjson.dumps({"errors": [{"message": str(refusal), "extensions": {"code": refusal.code}}]})
    headers = {"cache-control": "no-store", **refusal.headers}
    return Response(body, refusal.status, media_type="application/json", headers=headers)
