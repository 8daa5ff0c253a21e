"""An app of static files under one path: its files, and a service worker that is told which files there are."""

import hashlib
import json
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_WORKER = "sw.js"
# Kept by a browser, and asked about each time: an answer of 304 is all that it costs.
_REVALIDATE = {"cache-control": "no-cache"}


def static_app(path: str, folder: Path) -> list[BaseRoute]:
    """The routes of the app in `folder`, whose page is `index.html` and whose service worker is `sw.js`.

    The worker is served with `self.SHELL = {"version", "files"}` before its text: every file of the app by its path
    below the app's, and a version that is another as soon as one of them is. So a browser that looks for a new worker
    finds one exactly where a file has changed, without a build step. Files are read at the start of the process.
    """
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    digest = hashlib.sha256()
    for name in files:
        digest.update(name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
    shell = {"version": digest.hexdigest()[:16], "files": [name for name in files if name != _WORKER]}
    worker = f"self.SHELL = {json.dumps(shell)};\n" + (folder / _WORKER).read_text(encoding="utf-8")

    async def serve_worker(_: Request) -> Response:
        return Response(worker, media_type="text/javascript", headers=_REVALIDATE)

    return [
        Route(f"{path}/{_WORKER}", serve_worker, methods=["GET"]),
        Mount(path, _Files(directory=folder, html=True)),
    ]


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_REVALIDATE)
        return response
