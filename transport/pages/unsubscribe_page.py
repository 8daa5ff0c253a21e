"""The page that ends a kind of e-mail.

`GET /unsubscribe?token=…` shows a button and ends nothing, because mail scanners open links. `POST` ends it: from the
page, or from a mail program with the token in the address (RFC 8058).
"""

from collections.abc import Awaitable, Callable, Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from transport.pages.form_page import alert, page, posted

# Ends a kind of e-mail: takes the token of the link, the caller's address and the request id. False if it is not valid.
Unsubscribe = Callable[[str, str, str | None], Awaitable[bool]]

_TITLE = "E-mails of your e-portfolio"
_FORM = """<h1>End these e-mails?</h1>
<p>You will get no more e-mails of this kind. You can choose them again in your settings.</p>
{alert}<form method="post" action="/unsubscribe">
<input type="hidden" name="token" value="{token}">
<button>End these e-mails</button>
</form>"""
_DONE = """<h1>You will get no more of these e-mails</h1>
<p>The work itself still waits for you in Waymark. You can close this page.</p>"""
_INVALID = "This link is not valid. Change your e-mails in your settings instead."


def routes(unsubscribe: Unsubscribe) -> list[Route]:
    """Returns the routes of the page."""

    async def show(request: Request) -> Response:
        return _form(request.query_params.get("token", ""))

    async def end(request: Request, form: Mapping[str, str]) -> Response:
        token = form["token"] or request.query_params.get("token", "")
        address = request.client.host if request.client else "unknown"
        if not await unsubscribe(token, address, request.scope.get("state", {}).get("request_id")):
            return _form(token, _INVALID)
        return page(_TITLE, _DONE)

    return [
        Route("/unsubscribe", show, methods=["GET"], name="unsubscribe"),
        # The second field is what programs for e-mail send (RFC 8058).
        Route(
            "/unsubscribe", posted(_TITLE, end, "token", "List-Unsubscribe"), methods=["POST"], name="unsubscribe_end"
        ),
    ]


def _form(token: str, error: str | None = None) -> Response:
    body = _FORM.format(token=escape(token), alert=alert(error) if error else "")
    return page(_TITLE, body, 422 if error else 200)
