"""The page that confirms a new e-mail address.

`GET /email?token=…` shows a button and does not use the token up, because mail scanners open links. `POST` confirms.
"""

from collections.abc import Awaitable, Callable, Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.errors import DomainError
from transport.pages.form_page import alert, page, posted

# Confirms the address: takes the token of the link, the caller's address and the request id. Raises DomainError.
ConfirmEmail = Callable[[str, str, str | None], Awaitable[None]]

_TITLE = "Confirm your e-mail address"
_FORM = """<h1>Confirm your e-mail address</h1>
<p>Your training provider has entered this address for your e-portfolio.</p>
{alert}<form method="post" action="/email">
<input type="hidden" name="token" value="{token}">
<button>This is my address</button>
</form>"""
_DONE = """<h1>Your address is confirmed</h1>
<p>E-mails of your e-portfolio are sent to it from now on. You can close this page.</p>"""


def routes(confirm_email: ConfirmEmail) -> list[Route]:
    """Returns the routes of the page."""

    async def show(request: Request) -> Response:
        return _form(request.query_params.get("token", ""))

    async def confirm(request: Request, form: Mapping[str, str]) -> Response:
        token = form["token"]
        address = request.client.host if request.client else "unknown"
        try:
            await confirm_email(token, address, request.scope.get("state", {}).get("request_id"))
        except DomainError as error:
            return _form(token, error.errors[0].message)
        return page(_TITLE, _DONE)

    return [
        Route("/email", show, methods=["GET"], name="email"),
        Route("/email", posted(_TITLE, confirm, "token"), methods=["POST"], name="email_confirm"),
    ]


def _form(token: str, error: str | None = None) -> Response:
    body = _FORM.format(token=escape(token), alert=alert(error) if error else "")
    return page(_TITLE, body, 422 if error else 200)
