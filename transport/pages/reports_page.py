"""The page at /reports/: a form for each saved query, its table, a chart and downloads."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from transport.graphql.negotiation import prefers_html
from transport.pages.installed_files import InstalledFiles

PATH = "/reports"
_VENDOR_PATH = PATH + "/vendor"
_REVALIDATE = {"cache-control": "no-cache"}


def reports_page(folder: Path, index: Callable[[Request], Awaitable[Response]]) -> list[BaseRoute]:
    """Returns the routes of the page whose files are in `folder`. `index` answers programs at /reports.

    The chart library is served from `folder`/node_modules. Where it is not installed, the page shows tables only: data
    of learners is never shown beside a script of another host.
    """
    files = InstalledFiles(folder)
    template = (folder / "index.html").read_text(encoding="utf-8")
    page = template.replace("{files}", files.elements(_VENDOR_PATH) if files.complete else "")

    async def serve_page(_: Request) -> Response:
        return Response(page, media_type="text/html", headers=_REVALIDATE)

    async def serve_index(request: Request) -> Response:
        if prefers_html(request.headers.get("accept", "").encode("latin-1")):
            return RedirectResponse(PATH + "/", headers={"vary": "Accept"})
        return await index(request)

    return [
        Route(PATH, serve_index, methods=["GET"]),
        Route(PATH + "/", serve_page, methods=["GET"]),
        files.route(_VENDOR_PATH),
        *(Mount(f"{PATH}/{name}", _Files(directory=folder / name)) for name in ("js", "style")),
    ]


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_REVALIDATE)
        return response
