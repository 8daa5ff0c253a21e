"""The page that links in e-mails open to choose a password: plain HTML without a script.

`GET /password?token=…` shows the form and does not use the token up. `POST` sets the password.
"""

from collections.abc import Awaitable, Callable, Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.errors import DomainError
from transport.graphql.errors import outage_response
from transport.pages.form_page import alert, page, posted

# Sets the password: takes the token of the link, the password, the caller's address and the request id. Raises
# DomainError.
SetPassword = Callable[[str, str, str, str | None], Awaitable[None]]

_TITLE = "Choose your password"

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

    async def choose(request: Request, form: Mapping[str, str]) -> Response:
        token, new, again = form["token"], form["new"], form["again"]
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
        return page(_TITLE, _DONE)

    return [
        Route("/password", show, methods=["GET"], name="password"),
        Route("/password", posted(_TITLE, choose, "token", "new", "again"), methods=["POST"], name="password_set"),
    ]


def _form(token: str, error: str | None = None, status: int = 422) -> Response:
    body = _FORM.format(token=escape(token), alert=alert(error) if error else "")
    return page(_TITLE, body, status if error else 200)
