"""GraphiQL at the URL of the GraphQL endpoint: the page, its files, and the saved operations as samples."""

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
from transport.pages.installed_files import InstalledFiles

CDN = "https://unpkg.com"
_VENDOR_PATH = "/graphiql/vendor"
_PAGE_FILES = ("page.css", "page.js", "samples.js", "tokens.js")
_GREETING = """\
# Sign in above{demo}
# and run a query: Ctrl-Enter runs the operation
# at the cursor. On the left are the documented
# schema and sample operations.

query WhoAmI {{
  viewer {{
    role
    user {{ name }}
    kpis {{ learnerCount offTrackCount }}
  }}
}}
"""
_DEMO_USERS = """ (in this demo as learner,
# assessor, iqa, employer.overview, master.admin;
# the password is waymark-demo)"""


def graphiql(
    path: str, endpoint: GraphQLEndpoint, folder: Path, documents: PersistedDocuments, is_demo: bool
) -> list[BaseRoute]:
    """Returns the routes of the endpoint with GraphiQL: a GET that prefers HTML gets the page.

    GraphiQL's files are served from `folder`/node_modules if all of them are there with the digests in files.json.
    Otherwise the page loads them from the CDN, where the browser verifies the digests.
    """
    files = InstalledFiles(folder)
    base = _VENDOR_PATH if files.complete else CDN
    page = _Page(endpoint, (folder / "page.html").read_text(encoding="utf-8"), base, files)
    samples = {
        "greeting": _GREETING.format(demo=_DEMO_USERS if is_demo else ""),
        "samples": [_sample(documents.name(text) or "", text) for text in documents.texts()],
    }

    async def serve_samples(_: Request) -> Response:
        return JSONResponse(samples, headers={"cache-control": "no-cache"})

    async def serve_page_file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _PAGE_FILES:
            raise HTTPException(404)
        return FileResponse(folder / name, headers={"cache-control": "no-cache"})

    return [
        Route(path, page),
        WebSocketRoute(path, endpoint),
        Route("/graphiql/samples.json", serve_samples, methods=["GET"]),
        files.route(_VENDOR_PATH),
        Route("/graphiql/{name}", serve_page_file, methods=["GET"]),
    ]


class _Page:
    """ASGI app: the page for requests that prefer HTML, the endpoint for all others."""

    def __init__(self, endpoint: GraphQLEndpoint, template: str, base: str, files: InstalledFiles) -> None:
        self._endpoint = endpoint
        external = " ".join(f"{base}/{name}" for name in files.integrity) if base == CDN else ""
        # GraphiQL's editor adds style elements, and its style sheet contains its fonts.
        policy = (
            f"default-src 'none'; script-src 'self' {external}; style-src 'self' 'unsafe-inline' {external}; "
            "img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        self._page = Response(
            template.replace("{files}", files.elements(base)),
            media_type="text/html",
            headers={"content-security-policy": policy, "cache-control": "no-cache", "vary": "Accept"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wants_page = scope["method"] in ("GET", "HEAD") and prefers_html(dict(scope["headers"]).get(b"accept"))
        await (self._page if wants_page else self._endpoint)(scope, receive, send)


def _sample(name: str, text: str) -> dict[str, Any]:
    """Returns a saved operation for the page, with its comment and the defaults of its variables."""
    lines = text.splitlines()
    comment = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    operation = next(node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode))
    variables = {
        each.variable.name.value: value_from_ast_untyped(each.default_value) if each.default_value else None
        for each in operation.variable_definitions or ()
    }
    return {"name": name, "about": " ".join(comment), "query": text, "variables": variables}
