"""The page that links in e-mails open to choose a password: plain HTML without a script.

`GET /password?token=…` shows the form and does not use the token up. `POST` sets the password.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from html import escape

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from domain.errors import DomainError
from transport.graphql.errors import outage_response

# Sets the password: takes the token of the link, the password, the caller's address and the request id. Raises
# DomainError.
SetPassword = Callable[[str, str, str, str | None], Awaitable[None]]

# Larger than any token with two passwords.
_MAX_BODY_BYTES = 8_192

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 1.05rem/1.5 system-ui, sans-serif; }
main { max-width: 24rem; margin: 12vh auto; padding: 0 1.25rem; }
h1 { font-size: 1.4rem; }
label { display: block; margin: 1.1rem 0 .25rem; font-weight: 600; }
input, button { box-sizing: border-box; width: 100%; padding: .65rem .75rem; font: inherit; border-radius: .5rem; }
input { border: 1px solid GrayText; }
button { margin-top: 1.5rem; border: 0; background: #14532d; color: #fff; font-weight: 600; cursor: pointer; }
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

_FORM = """<h1>Choose your password</h1>
<p>You use it to sign in and whenever you sign a document. Choose at least 8 characters that you can remember.</p>
{alert}<form method="post" action="/password">
<input type="hidden" name="token" value="{token}">
<label for="new">Password</label>
<input id="new" name="new" type="password" autocomplete="new-password" minlength="8" maxlength="256" required autofocus>
<label for="again">Password again</label>
<input id="again" name="again" type="password" autocomplete="new-password" minlength="8" maxlength="256" required>
<button>Set the password</button>
</form>"""

_DONE = """<h1>Your password is set</h1>
<p>Sign in to your e-portfolio with it now. You can close this page.</p>"""


def routes(set_password: SetPassword) -> list[Route]:
    """Returns the routes of the page."""

    async def show(request: Request) -> Response:
        return _form(request.query_params.get("token", ""))

    async def choose(request: Request) -> Response:
        if int(request.headers.get("content-length") or _MAX_BODY_BYTES + 1) > _MAX_BODY_BYTES:
            return _page(_FORM.format(token="", alert=_alert("The form is too large. Open the link again.")), 413)
        async with request.form(max_files=0, max_fields=3) as form:
            token, new, again = (_text(form, name) for name in ("token", "new", "again"))
        if new != again:
            return _form(token, "The two passwords are different. Enter the same password twice.")
        address = request.client.host if request.client else "unknown"
        try:
            await set_password(token, new, address, request.scope.get("state", {}).get("request_id"))
        except DomainError as error:
            return _form(token, error.errors[0].message)
        except Exception as error:
            # The database, or the process that rates passwords.
            if (outage := outage_response(error)) is None:
                raise
            return _form(token, outage.errors[0]["message"], outage.status)
        return _page(_DONE)

    return [
        Route("/password", show, methods=["GET"], name="password"),
        Route("/password", choose, methods=["POST"], name="password_set"),
    ]


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _form(token: str, error: str | None = None, status: int = 422) -> Response:
    return _page(_FORM.format(token=escape(token), alert=_alert(error) if error else ""), status if error else 200)


def _alert(message: str) -> str:
    return f'<p role="alert">{escape(message)}</p>\n'


def _page(body: str, status: int = 200) -> Response:
    html = (
        '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f"<title>Choose your password - Waymark</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )
    return HTMLResponse(html, status, _HEADERS)
