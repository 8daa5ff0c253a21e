"""What the pages behind links in e-mails share: plain HTML with a form and without a script."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from html import escape

from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from transport.graphql.errors import outage_response

# Larger than any token with two passwords.
MAX_BODY_BYTES = 8_192
# How long it may take to arrive.
BODY_SECONDS = 10.0

# Takes the request and the texts of its form.
Answer = Callable[[Request, Mapping[str, str]], Awaitable[Response]]

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 1.05rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 24rem; margin: 12vh auto; padding: 0 1.25rem; }
h1 { font-size: 1.4rem; }
label { display: block; margin: 1.1rem 0 .25rem; font-weight: 600; }
input, button { box-sizing: border-box; width: 100%; padding: .65rem .75rem; font: inherit; border-radius: .5rem; }
input { border: 1px solid GrayText; }
button { margin-top: 1.5rem; border: 0; background: #14532d; color: #fff; font-weight: 600; cursor: pointer; }
.second { background: none; color: inherit; border: 1px solid GrayText; }
h2 { margin-top: 2rem; font-size: 1.15rem; }
blockquote { margin: 1rem 0; padding-left: .75rem; border-left: 4px solid GrayText; }
:focus-visible { outline: 3px solid #15803d; outline-offset: 2px; }
[role=alert] { padding: .65rem .75rem; border-left: 4px solid #b91c1c; }
"""
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}


def posted(title: str, answer: Answer, *names: str) -> Callable[[Request], Awaitable[Response]]:
    """Returns the endpoint of a form with these fields: `answer` gets their texts, "" for one that is missing.

    A form that is too large or does not arrive, and an outage, get a page that says so.
    """

    async def endpoint(request: Request) -> Response:
        if int(request.headers.get("content-length") or MAX_BODY_BYTES + 1) > MAX_BODY_BYTES:
            return _problem(title, "The form is too large. Open the link again.", 413)
        try:
            async with asyncio.timeout(BODY_SECONDS), request.form(max_files=0, max_fields=len(names)) as form:
                texts = {name: _text(form, name) for name in names}
        except TimeoutError:
            return _problem(title, "The form did not arrive in time. Open the link again.", 408)
        except ClientDisconnect:
            return Response(status_code=400)
        try:
            return await answer(request, texts)
        except Exception as error:
            # The database, or the process that rates passwords.
            if (outage := outage_response(error)) is None:
                raise
            return _problem(title, outage.errors[0]["message"], outage.status)

    return endpoint


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    # A form may name a character set in which half a character is one.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _problem(title: str, message: str, status: int) -> Response:
    response = page(title, f"<h1>{escape(title)}</h1>\n{alert(message)}", status)
    if status in (408, 413):
        # Else the server would read whatever the client still sends.
        response.headers["Connection"] = "close"
    return response


def alert(message: str) -> str:
    """Returns the HTML of an error message."""
    return f'<p role="alert">{escape(message)}</p>\n'


def page(title: str, body: str, status: int = 200) -> Response:
    """Returns a page; `body` is HTML."""
    html = (
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)} - Waymark</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )
    return HTMLResponse(html, status, _HEADERS)
