"""The private address of a person's calendar, which calendar programs read again and again."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

# Returns the calendar of a token; None for one that is not valid, or was ended.
ReadCalendar = Callable[[str], Awaitable[str | None]]

_HEADERS = {"cache-control": "private, no-cache", "x-robots-tag": "noindex", "referrer-policy": "no-referrer"}


def routes(read_calendar: ReadCalendar) -> list[Route]:
    """Returns the route of the calendars."""

    async def read(request: Request) -> Response:
        calendar = await read_calendar(request.path_params["token"])
        if calendar is None:
            return PlainTextResponse("There is no calendar at this address.", 404, _HEADERS)
        return Response(calendar, 200, _HEADERS, media_type="text/calendar; charset=utf-8")

    return [Route("/calendar/{token}.ics", read, methods=["GET"], name="calendar")]
