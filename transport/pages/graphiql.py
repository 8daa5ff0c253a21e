"""GraphiQL at the graph's own address, for browsers: the page, its files, and the saved operations as samples."""

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import Any

from graphql import OperationDefinitionNode, parse, value_from_ast_untyped
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from transport.graphql.endpoint import GraphQLEndpoint
from transport.graphql.negotiation import prefers_html
from transport.graphql.persisted_documents import PersistedDocuments

CDN = "https://unpkg.com"
_OWN = "/graphiql/vendor"
_PAGE_FILES = ("page.css", "page.js", "samples.js", "tokens.js")
_GREETING = """\
# Sign in above{demo}
# and ask: Ctrl-Enter runs what the cursor is in.
# On the left: the schema, described, and
# sample operations, ready to open.

query WhoAmI {{
  viewer {{
    role
    user {{ name }}
    kpis {{ learnerCount offTrackCount }}
  }}
}}
"""
_DEMO_SIGN_INS = """ (in this demo as learner,
# assessor, iqa, employer.overview, master.admin;
# the password is waymark-demo)"""


def graphiql(
    path: str, view: GraphQLEndpoint, folder: Path, documents: PersistedDocuments, is_demo: bool
) -> list[BaseRoute]:
    """The routes of the graph with GraphiQL: a GET that wants HTML most is shown the page, all else goes to `view`.

    GraphiQL's own files come from `folder`/node_modules where each of them is there byte for byte as files.json has
    it; else the page names the same files on the CDN, which a browser runs only if they are those bytes.
    """
    integrity: dict[str, str] = json.loads((folder / "files.json").read_text(encoding="utf-8"))
    installed = {name: file for name in integrity if _is(file := _installed(folder, name), integrity[name])}
    base = _OWN if len(installed) == len(integrity) else CDN
    page = _Page(view, (folder / "page.html").read_text(encoding="utf-8"), base, integrity)
    samples = {
        "greeting": _GREETING.format(demo=_DEMO_SIGN_INS if is_demo else ""),
        "samples": [_sample(documents.name(text) or "", text) for text in documents.texts()],
    }

    async def serve_samples(_: Request) -> Response:
        return JSONResponse(samples, headers={"cache-control": "no-cache"})

    async def serve_own(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _PAGE_FILES:
            raise HTTPException(404)
        return FileResponse(folder / name, headers={"cache-control": "no-cache"})

    async def serve_vendor(request: Request) -> Response:
        file = installed.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        # The version stands in the name.
        return FileResponse(file, headers={"cache-control": "public, max-age=31536000, immutable"})

    return [
        Route(path, page),
        WebSocketRoute(path, view),
        Route("/graphiql/samples.json", serve_samples, methods=["GET"]),
        Route(_OWN + "/{name:path}", serve_vendor, methods=["GET"]),
        Route("/graphiql/{name}", serve_own, methods=["GET"]),
    ]


class _Page:
    """ASGI: the page for those who want HTML, the view for everyone else."""

    def __init__(self, view: GraphQLEndpoint, template: str, base: str, integrity: dict[str, str]) -> None:
        self._view = view
        sources = {f"{base}/{name}": hashed for name, hashed in integrity.items()}
        elements = "\n".join(_element(source, hashed) for source, hashed in sources.items())
        named = " ".join(sources) if base == CDN else ""
        # GraphiQL's editor makes style elements as it goes and brings its fonts within its style sheet.
        policy = (
            f"default-src 'none'; script-src 'self' {named}; style-src 'self' 'unsafe-inline' {named}; "
            "img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        self._answer = Response(
            template.replace("{files}", elements),
            media_type="text/html",
            headers={"content-security-policy": policy, "cache-control": "no-cache", "vary": "Accept"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wants_page = scope["method"] in ("GET", "HEAD") and prefers_html(dict(scope["headers"]).get(b"accept"))
        await (self._answer if wants_page else self._view)(scope, receive, send)


def _element(source: str, hashed: str) -> str:
    how = f'integrity="{html.escape(hashed)}" crossorigin="anonymous"'
    if source.endswith(".css"):
        return f'<link rel="stylesheet" href="{html.escape(source)}" {how}>'
    return f'<script defer src="{html.escape(source)}" {how}></script>'


def _installed(folder: Path, name: str) -> Path:
    """Where npm puts a file named `package@version/path`."""
    package, _, path = name.partition("/")
    return folder / "node_modules" / package.rpartition("@")[0] / path


def _is(file: Path, integrity: str) -> bool:
    if not file.is_file():
        return False
    return integrity == "sha384-" + base64.b64encode(hashlib.sha384(file.read_bytes()).digest()).decode()


def _sample(name: str, text: str) -> dict[str, Any]:
    """A saved operation as the page lists it: what its comment says, and its variables with their defaults."""
    lines = text.splitlines()
    comment = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    operation = next(node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode))
    variables = {
        each.variable.name.value: value_from_ast_untyped(each.default_value) if each.default_value else None
        for each in operation.variable_definitions or ()
    }
    return {"name": name, "about": " ".join(comment), "query": text, "variables": variables}
