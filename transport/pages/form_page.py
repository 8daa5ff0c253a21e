"""What the pages behind links in e-mails share: plain HTML with a form and without a script."""

import base64
import hashlib
from html import escape

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

# Larger than any token with two passwords.
MAX_BODY_BYTES = 8_192

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


def is_too_large(request: Request) -> bool:
    """Returns whether the form is larger than any that a page sends, or does not say how large it is."""
    return int(request.headers.get("content-length") or MAX_BODY_BYTES + 1) > MAX_BODY_BYTES


def field_text(form: FormData, name: str) -> str:
    """Returns the text of a field; empty where it is missing or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


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
