"""Serves an app of static files under one path, with a service worker that gets the list of its files."""

import hashlib
import json
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_WORKER = "sw.js"
# Browsers cache the files, and revalidate them at each use: usually a response 304.
_REVALIDATE = {"cache-control": "no-cache"}


def static_app(path: str, folder: Path) -> list[BaseRoute]:
    """Returns the routes of the app in `folder`, which has the page `index.html` and the service worker `sw.js`.

    The worker is served with a first line `self.SHELL = {"version", "files"}`: the paths of all other files, and a
    version that changes with any of them. So browsers install a new worker when a file has changed, without a build
    step. The files are read when the routes are made.
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
