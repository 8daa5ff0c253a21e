"""Runs the saved queries of a report for a request: its viewer, what it waits for, and what went wrong."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from auth.viewer import NotSignedIn
from auth.wrong_keys import TooManyWrongKeys
from services.exports.slots import ExportSlots, TooManyExports
from transport.graphql.errors import BAD_USER_INPUT, NOT_ALLOWED, HttpError, OperationRejected, retry_after
from transport.graphql.operation_context import OperationContext
from transport.graphql.operation_log import OperationLog
from transport.graphql.operation_runner import OperationRunner
from transport.graphql.request import GraphQLRequest

# Together the pages of a report may wait so long for points of the budget.
MAX_WAIT_SECONDS = 300.0
_CHALLENGE = {"www-authenticate": 'Bearer, Basic realm="Waymark access key", charset="UTF-8"'}

# Runs one page of a saved query, by its name, with these variables; returns its data.
Execute = Callable[[str, Mapping[str, Any]], dict[str, Any]]
Made = TypeVar("Made")


class Refused(Exception):
    """A request that gets an error: its status, its code, and headers."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def refusal_response(refusal: Refused) -> Response:
    """Returns the response to a request that is refused."""
    body = orjson.dumps({"errors": [{"message": str(refusal), "extensions": {"code": refusal.code}}]})
    headers = {"cache-control": "no-store", **refusal.headers}
    return Response(body, refusal.status, media_type="application/json", headers=headers)


class ReportExecution:
    """Executes what reports are made of. Each page is an operation with its cost and its limits."""

    def __init__(self, runner: OperationRunner, slots: ExportSlots) -> None:
        self._runner = runner
        self._slots = slots

    async def context(self, request: Request) -> OperationContext:
        """Returns the context of a request with an access token or an access key. Raises Refused."""
        try:
            context = await self._runner.make_context(HTTPConnection(request.scope))
        except TooManyWrongKeys as error:
            name, seconds = (part.decode() for part in retry_after(error.retry_after))
            raise Refused(429, error.code, str(error), **{name: seconds}) from None
        except NotSignedIn as error:
            raise Refused(401, error.code, str(error), **_CHALLENGE) from None
        if context.viewer is None:
            message = "Send an access token or an access key in the Authorization header, never in the address."
            raise Refused(401, "UNAUTHENTICATED", message, **_CHALLENGE)
        return context

    async def make(self, request: Request, context: OperationContext, work: Callable[[Execute], Made]) -> Made:
        """Returns what `work` makes of the pages. Raises Refused, and what `work` raises of its own."""
        made, release = await self.make_held(request, context, work)
        release()
        return made

    async def make_held(
        self, request: Request, context: OperationContext, work: Callable[[Execute], Made]
    ) -> tuple[Made, Callable[[], None]]:
        """As `make`, for a file that takes up space until it was sent: the caller then calls the returned function.

        Until then it counts as one of the user's exports.
        """
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
            release = await self._slots.hold(context.viewer.user_key)
            try:
                async with self._slots.making():
                    # In a thread: it puts thousands of rows together.
                    return await asyncio.to_thread(work, execute), release
            except BaseException:
                release()
                raise
        except TooManyExports as error:
            raise Refused(429 if error.own else 503, "BUDGET_SPENT", str(error), **{"retry-after": "10"}) from None
        except OperationRejected as error:
            code = error.errors[0].get("extensions", {}).get("code", BAD_USER_INPUT)
            raise Refused(403 if code == NOT_ALLOWED else 400, code, error.errors[0]["message"]) from None
        except HttpError as error:
            headers = {key.decode(): value.decode() for key, value in error.headers}
            first = error.errors[0]
            raise Refused(error.status, first["extensions"]["code"], first["message"], **headers) from None

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
