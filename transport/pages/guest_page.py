"""The page on which somebody without an account reads and signs one document: plain HTML without a script.

`GET /sign?token=…` shows what the link is for and changes nothing, because mail scanners open links. `POST
/sign/document` opens the document, `POST /sign/code` sends a code to the address of the link, and `POST /sign` signs.
"""

from collections.abc import Awaitable, Callable, Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.enums import UserErrorCode
from domain.errors import DomainError
from domain.guest_document import GuestDocument, GuestSigning
from transport.graphql.errors import outage_response
from transport.pages.form_page import alert, page, posted

_TITLE = "Sign a document"
_ABOUT = """<h1>{title}</h1>
<p>{invited_by} of {provider} asks you to sign this document about {learner}, as {role}. You need no account.</p>
{alert}"""
_FORM = """<h2>1. Read it</h2>
<form method="post" action="/sign/document" target="_blank">
<input type="hidden" name="token" value="{token}">
<button>Open the document</button>
</form>
<h2>2. Ask for a code</h2>
<form method="post" action="/sign/code">
<input type="hidden" name="token" value="{token}">
<label for="name">Your full name, as your signature</label>
<input id="name" name="name" value="{name}" autocomplete="name" maxlength="200" required>
<p>The code is sent to {address}.</p>
<button>Send me a code</button>
</form>"""
_CODE = """<h2>3. Sign it</h2>
<p>A code of 8 digits was sent to {address}. It works for 10 minutes. With it you sign this:</p>
<blockquote>{statement}</blockquote>
<form method="post" action="/sign">
<input type="hidden" name="token" value="{token}">
<input type="hidden" name="name" value="{name}">
<label for="code">The code in the e-mail</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="20" required autofocus>
<button>Sign the document</button>
</form>
<form method="post" action="/sign/code">
<input type="hidden" name="token" value="{token}">
<input type="hidden" name="name" value="{name}">
<button class="second">Send another code</button>
</form>"""
_DONE = """<h1>Signed</h1>
<p>Thank you. Your signature is recorded with this statement:</p>
<blockquote>{statement}</blockquote>
<p>The link has ended. You can close this page.</p>"""
_ENDED = "<h1>Sign a document</h1>\n{alert}"

# A step of the page: takes the request, the texts of its form, and the caller's address and request id.
_Step = Callable[[Mapping[str, str], str, str | None], Awaitable[Response]]


def routes(signing: GuestSigning) -> list[Route]:
    """Returns the routes of the page."""

    async def show(request: Request) -> Response:
        token = request.query_params.get("token", "")

        async def shown(_: Mapping[str, str], address: str, request_id: str | None) -> Response:
            return _form(token, await signing.read(token, "", address, request_id))

        return await _answer(request, shown, {})

    async def open_document(form: Mapping[str, str], address: str, request_id: str | None) -> Response:
        path = await signing.open(form["token"], address, request_id)
        return RedirectResponse(path, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})

    async def send_code(form: Mapping[str, str], address: str, request_id: str | None) -> Response:
        try:
            document = await signing.send_code(form["token"], form["name"], address, request_id)
        except DomainError as error:
            # A link that has ended is rejected here too.
            document = await signing.read(form["token"], "", address, request_id)
            return _form(form["token"], document, form["name"], error)
        return _code(form, document)

    async def sign(form: Mapping[str, str], address: str, request_id: str | None) -> Response:
        try:
            document = await signing.sign(form["token"], form["name"], form["code"], address, request_id)
        except DomainError as error:
            document = await signing.read(form["token"], form["name"], address, request_id)
            if document.statement is None:
                return _form(form["token"], document, form["name"], error)
            return _code(form, document, error)
        return page(_TITLE, _DONE.format(statement=escape(document.statement or "")))

    def step(take: _Step) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request, form: Mapping[str, str]) -> Response:
            return await _answer(request, take, form)

        return posted(_TITLE, answer, "token", "name", "code")

    return [
        Route("/sign", show, methods=["GET"], name="guest"),
        Route("/sign/document", step(open_document), methods=["POST"], name="guest_document"),
        Route("/sign/code", step(send_code), methods=["POST"], name="guest_code"),
        Route("/sign", step(sign), methods=["POST"], name="guest_sign"),
    ]


async def _answer(request: Request, step: _Step, form: Mapping[str, str]) -> Response:
    address = request.client.host if request.client else "unknown"
    try:
        return await step(form, address, request.scope.get("state", {}).get("request_id"))
    except DomainError as error:
        return page(_TITLE, _ENDED.format(alert=alert(error.errors[0].message)), _status(error))
    except Exception as error:
        outage = outage_response(error)
        if outage is None:
            raise
        return page(_TITLE, _ENDED.format(alert=alert(outage.errors[0]["message"])), outage.status)


def _form(token: str, document: GuestDocument, name: str = "", error: DomainError | None = None) -> Response:
    form = _FORM.format(token=escape(token), name=escape(name), address=escape(document.address))
    return page(_TITLE, _about(document, error) + form, _status(error))


def _code(form: Mapping[str, str], document: GuestDocument, error: DomainError | None = None) -> Response:
    code = _CODE.format(
        token=escape(form["token"]), name=escape(form["name"]), address=escape(document.address),
        statement=escape(document.statement or ""),
    )  # fmt: skip
    return page(_TITLE, _about(document, error) + code, _status(error))


def _about(document: GuestDocument, error: DomainError | None) -> str:
    return _ABOUT.format(
        title=escape(document.title), invited_by=escape(document.invited_by), provider=escape(document.provider),
        learner=escape(document.learner), role=escape(document.role),
        alert=alert(error.errors[0].message) if error else "",
    )  # fmt: skip


def _status(error: DomainError | None) -> int:
    if error is None:
        return 200
    code = error.errors[0].code
    return {UserErrorCode.NOT_FOUND: 410, UserErrorCode.TOO_MANY_ATTEMPTS: 429}.get(code, 422)
