"""What every form of the pages behind links withstands, without an account."""

import asyncio
from collections.abc import Mapping

import pytest
from starlette.requests import Request
from starlette.responses import Response

from transport.pages import form_page
from transport.pages.form_page import MAX_BODY_BYTES, page, posted

URL_ENCODED = "application/x-www-form-urlencoded"


async def sent(
    *messages: bytes | None,
    kind: str = URL_ENCODED,
    length: int | None = 10,
    is_whole: bool = False,
    error: Exception | None = None,
) -> Response:
    """Returns the answer to a form whose body has these parts; None: the connection is closed. Then nothing comes."""
    parts = list(messages)

    async def receive() -> Mapping[str, object]:
        if not parts:
            await asyncio.Event().wait()
        part = parts.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": not is_whole}

    async def answer(_: Request, form: Mapping[str, str]) -> Response:
        if error is not None:
            raise error
        return page("A title", form["name"])

    headers = [(b"content-type", kind.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    return await posted("A title", answer, "name")(Request(scope, receive))


async def test_a_form_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_page, "BODY_SECONDS", 0.01)
    answer = await sent(b"name=")
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


async def test_a_client_that_goes_away_is_no_fault() -> None:
    assert (await sent(b"name=", None)).status_code == 400


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, None])
async def test_a_form_that_is_too_large_is_not_read(length: int | None) -> None:
    answer = await sent(length=length)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


@pytest.mark.parametrize(("charset", "half"), [("utf-7", b"+2AA-"), ("raw_unicode_escape", rb"\ud800")])
async def test_half_a_character_is_no_fault(charset: str, half: bytes) -> None:
    """A form may name a character set in which half a character is one; no page and no database takes it."""
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nA ' + half + b"\r\n--x--\r\n"
    answer = await sent(body, kind=f"multipart/form-data; boundary=x; charset={charset}", is_whole=True)
    assert answer.status_code == 200 and b"A ?" in answer.body


async def test_an_outage_is_said() -> None:
    answer = await sent(b"name=a", is_whole=True, error=ConnectionRefusedError())
    assert answer.status_code == 503 and b"<h1>A title</h1>" in answer.body
