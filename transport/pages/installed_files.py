"""Libraries of a page that npm installs: the files named in files.json, each with its digest, served from here."""

import base64
import hashlib
import html
import json
import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

_NAME = re.compile(r"(?P<package>(?:@[^/@]+/)?[^/@]+)@[^/]+/(?P<path>.+)")


class InstalledFiles:
    """The files that `folder`/files.json names as `package@version/path`, with the digests that they must have."""

    def __init__(self, folder: Path) -> None:
        self.integrity: dict[str, str] = json.loads((folder / "files.json").read_text(encoding="utf-8"))
        self._found = {
            name: file for name in self.integrity if _matches(file := _installed(folder, name), self.integrity[name])
        }

    @property
    def complete(self) -> bool:
        """Whether every file is installed with its digest."""
        return len(self._found) == len(self.integrity)

    def elements(self, base: str) -> str:
        """Returns the HTML elements that load the files from the address `base`; browsers verify the digests."""
        return "\n".join(_element(f"{base}/{name}", hashed) for name, hashed in self.integrity.items())

    def route(self, base: str) -> Route:
        """Returns the route that serves the files under `base`."""

        async def serve(request: Request) -> Response:
            file = self._found.get(request.path_params["name"])
            if file is None:
                raise HTTPException(404)
            # The name contains the version.
            return FileResponse(file, headers={"cache-control": "public, max-age=31536000, immutable"})

        return Route(base + "/{name:path}", serve, methods=["GET"])


def _element(source: str, hashed: str) -> str:
    attributes = f'integrity="{html.escape(hashed)}" crossorigin="anonymous"'
    if source.endswith(".css"):
        return f'<link rel="stylesheet" href="{html.escape(source)}" {attributes}>'
    return f'<script defer src="{html.escape(source)}" {attributes}></script>'


def _installed(folder: Path, name: str) -> Path:
    """Returns the path at which npm installs the file `package@version/path`."""
    match = _NAME.fullmatch(name)
    assert match, name
    return folder / "node_modules" / match["package"] / match["path"]


def _matches(file: Path, integrity: str) -> bool:
    if not file.is_file():
        return False
    return integrity == "sha384-" + base64.b64encode(hashlib.sha384(file.read_bytes()).digest()).decode()
