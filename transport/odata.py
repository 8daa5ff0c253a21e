"""The reports as an OData 4.0 service at /reports/odata/, for Power BI and others, with an access token or key.

The address of an entity set takes the variables of its report beside the options of OData.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from domain import clock
from transport.graphql.errors import BAD_USER_INPUT
from transport.graphql.operation_context import OperationContext, close_context
from transport.report_execution import Execute, Refused, ReportExecution
from transport.reports import AS_OF_HEADER, CACHING, is_known

log = structlog.get_logger(__name__)

PATH = "/reports/odata/"
_VERSION = {"odata-version": "4.0"}
_JSON = "application/json;odata.metadata={level};odata.streaming=false;IEEE754Compatible=false;charset=utf-8"


class Feed(Protocol):
    """The model of the reports, and their rows."""

    # What the methods raise, with `status` and `target`: its message is for the client.
    error: type[Any]

    @property
    def names(self) -> Collection[str]:
        """The names of the entity sets."""

    def sets(self, names: Collection[str]) -> list[dict[str, str]]:
        """Returns the entries of the service document: those of these names, or all."""

    def metadata(self) -> bytes:
        """Returns the metadata document."""

    def options(self, name: str, given: Sequence[tuple[str, str]]) -> Any:
        """Returns what a query asks for. Raises `error`."""

    def count(self, name: str, options: Any, execute: Callable[[str, Mapping[str, Any]], dict[str, Any]]) -> int:
        """Returns how many rows fit. Raises `error`."""

    def read(
        self, name: str, options: Any, execute: Callable[[str, Mapping[str, Any]], dict[str, Any]], as_of: dt.datetime
    ) -> Any:
        """Returns a page: `rows`, `count`, `next`, `selected`, `digest`. Raises `error`."""


class ODataEndpoint:
    """The routes of the service."""

    def __init__(self, execution: ReportExecution, feed: Feed) -> None:
        self._execution = execution
        self._feed = feed

    def routes(self) -> list[BaseRoute]:
        """Returns the routes of the service."""
        paths = {
            PATH.rstrip("/"): self._service, PATH: self._service, PATH + "$metadata": self._metadata,
            PATH + "{name}": self._rows, PATH + "{name}/$count": self._count,
            PATH + "{rest:path}": self._nothing,
        }  # fmt: skip
        return [Route(path, self._answering(answer), methods=["GET", "HEAD"]) for path, answer in paths.items()]

    def _answering(self, answer: Callable[[Request, OperationContext], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                context = await self._execution.context(request)
                try:
                    _check_version(request)
                    response: Response = await answer(request, context)
                finally:
                    await close_context(context)
            except Refused as refusal:
                return _error_response(refusal.status, refusal.code, str(refusal), None, refusal.headers)
            except self._feed.error as error:
                code = "NOT_IMPLEMENTED" if error.status == 501 else BAD_USER_INPUT
                return _error_response(error.status, code, str(error), error.target, {})
            return response

        return endpoint

    async def _service(self, request: Request, context: OperationContext) -> Response:
        level = _level(request)
        key = context.viewer.access_key if context.viewer is not None else None
        names = key.operations if key is not None else ()
        return _json({"@odata.context": _root(request) + "$metadata", "value": self._feed.sets(names)}, level, request)

    async def _metadata(self, request: Request, _: OperationContext) -> Response:
        if request.query_params.get("$format", "xml").split(";")[0].strip() not in ("xml", "application/xml"):
            raise Refused(406, BAD_USER_INPUT, "$format: the metadata document is XML only.")
        content = self._feed.metadata()
        return _tagged(content, "application/xml", hashlib.blake2b(content, digest_size=16).hexdigest(), {}, request)

    async def _rows(self, request: Request, context: OperationContext) -> Response:
        name, level, as_of = self._name(request), _level(request), clock.now()
        options = self._feed.options(name, request.query_params.multi_items())

        def work(execute: Execute) -> Any:
            return self._feed.read(name, options, execute, as_of)

        page = await self._execution.make(request, context, work)
        root, chosen = _root(request), "" if page.selected is None else f"({','.join(page.selected)})"
        body: dict[str, Any] = {} if level == "none" else {"@odata.context": f"{root}$metadata#{name}{chosen}"}
        if page.count is not None:
            body["@odata.count"] = page.count
        body["value"] = page.rows
        if page.next is not None:
            body["@odata.nextLink"] = f"{root}{name}?{urlencode(page.next, quote_via=quote, safe='$,')}"
        headers = {AS_OF_HEADER: as_of.isoformat()}
        return _tagged(orjson.dumps(body), _JSON.format(level=level), f"{page.digest}-{level}", headers, request)

    async def _count(self, request: Request, context: OperationContext) -> Response:
        name = self._name(request)
        options = self._feed.options(name, request.query_params.multi_items())
        count = await self._execution.make(request, context, lambda execute: self._feed.count(name, options, execute))
        return Response(str(count), media_type="text/plain", headers={**CACHING, **_VERSION})

    async def _nothing(self, request: Request, _: OperationContext) -> Response:
        raise _no_resource()

    def _name(self, request: Request) -> str:
        name: str = request.path_params["name"]
        if name in self._feed.names:
            return name
        if name.partition("(")[0] in self._feed.names:
            message = "Entities are read as rows of their set, not by their keys: use $filter."
            raise Refused(501, "NOT_IMPLEMENTED", message)
        raise _no_resource()


def _no_resource() -> Refused:
    message = "There is no such resource. The service document lists the entity sets, $metadata all of them."
    return Refused(404, "NOT_FOUND", message)


def _root(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{PATH}"


def _check_version(request: Request) -> None:
    """Raises Refused for a client that reads no OData 4.0."""
    most = request.headers.get("odata-maxversion", "4.0").strip()
    if most not in ("4.0", "4.01"):
        raise Refused(400, BAD_USER_INPUT, "OData-MaxVersion: this service is OData 4.0.")


def _level(request: Request) -> str:
    """Returns how much the answer says about itself, `minimal` or `none`. Raises Refused for what is not JSON.

    A client that asks for `full` gets `minimal`: the metadata document has the rest.
    """
    chosen = request.query_params.get("$format") or request.headers.get("accept") or "*/*"
    types = [[part.strip().lower() for part in each.split(";")] for each in chosen.split(",")[:50]]
    for name, *parameters in types:
        if name in ("json", "application/json", "application/*", "*/*"):
            return "none" if {"odata.metadata=none", "metadata=none"} & set(parameters) else "minimal"
    raise Refused(406, BAD_USER_INPUT, "The answer is JSON: ask for application/json.")


def _json(body: dict[str, Any], level: str, request: Request) -> Response:
    if level == "none":
        body.pop("@odata.context")
    content = orjson.dumps(body)
    etag = hashlib.blake2b(content, digest_size=16).hexdigest()
    return _tagged(content, _JSON.format(level=level), etag, {}, request)


def _tagged(content: bytes, media_type: str, digest: str, headers: Mapping[str, str], request: Request) -> Response:
    """Returns an answer with a weak tag, or 304 where the client has it already."""
    etag = f'"{digest}"'
    given = {**CACHING, **_VERSION, **headers, "etag": f"W/{etag}", "x-content-type-options": "nosniff"}
    given["vary"] = "Accept, Authorization"
    if is_known(etag, request):
        return Response(status_code=304, headers=given)
    return Response(content, media_type=media_type, headers=given)


def _error_response(status: int, code: str, message: str, target: str | None, headers: Mapping[str, str]) -> Response:
    error = {"code": code, "message": message} | ({"target": target} if target else {})
    given = {"cache-control": "no-store", **_VERSION, **headers}
    return Response(orjson.dumps({"error": error}), status, media_type="application/json", headers=given)
