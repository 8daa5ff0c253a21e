"""The links of e-mails: `/open/Evidence_7` leads to that record in a frontend."""

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

_ID = re.compile(r"[A-Za-z]{1,40}_\d{1,19}(\.\d{1,19})?", re.ASCII)


def routes(address: str, start_page: str) -> list[Route]:
    """Returns the route. `address`: of a record in the frontend, with {id}. What is no id leads to the start page."""

    async def open_record(request: Request) -> Response:
        id = request.path_params["id"]
        target = start_page
        if _ID.fullmatch(id):
            target = address.replace("{id}", quote(id, safe=""))
        return RedirectResponse(target, 303, {"cache-control": "no-store"})

    return [Route("/open/{id}", open_record, methods=["GET"], name="open")]
