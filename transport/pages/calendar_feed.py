"""The private address of a person's calendar, which calendar programs read again and again."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

# Returns the calendar of a token; None for one that is not valid, or was ended.
ReadCalendar = Callable[[str], Awaitable[str | None]]

# Of one calendar in a minute, in one process. Programs read it a few times an hour, and it has up to 1,000 sessions.
MAX_READS = 10
_MINUTE = 60.0
_HEADERS = {"cache-control": "private, no-cache", "x-robots-tag": "noindex", "referrer-policy": "no-referrer"}


def routes(read_calendar: ReadCalendar) -> list[Route]:
    """Returns the route of the calendars."""
    reads: Counter[str] = Counter()
    minute = time.monotonic()

    async def read(request: Request) -> Response:
        nonlocal minute
        token = request.path_params["token"]
        if time.monotonic() - minute >= _MINUTE:
            minute = time.monotonic()
            reads.clear()
        if reads[token] >= MAX_READS:
            message = "This calendar is read too often. Try again in a minute."
            return PlainTextResponse(message, 429, {**_HEADERS, "retry-after": "60"})
        reads[token] += 1
        calendar = await read_calendar(token)
        if calendar is None:
            # Only calendars are counted, so that other addresses take no memory.
            del reads[token]
            return PlainTextResponse("There is no calendar at this address.", 404, _HEADERS)
        return Response(calendar, 200, _HEADERS, media_type="text/calendar; charset=utf-8")

    return [Route("/calendar/{token}.ics", read, methods=["GET"], name="calendar")]
