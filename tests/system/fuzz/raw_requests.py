"""Requests whose headers, paths and bodies hold hostile bytes, sent over a socket as they are."""

import asyncio
import itertools
import json
from collections.abc import Iterator
from urllib.parse import quote

from tests.system.fuzz.hostile_values import MARK

_HEADERS = (
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Type", "Cookie", "Forwarded", "Host",
    "Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match", "Last-Event-ID", "Origin", "Range", "Referer",
    "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Traceparent", "Upgrade", "User-Agent", "X-Forwarded-For",
    "X-Forwarded-Proto", "X-Request-Id",
)  # fmt: skip
_VALUES = (
    b"", b" ", b"<" + MARK.encode() + b">", MARK.encode() + b"\xff\xfe\xed\xa0\x80", b"x" * 5_000,
    b"Bearer " + b"x" * 5_000,
    b"Bearer a.b.c", b"Bearer eyJhbGciOiJub25lIn0.e30.", b"Basic Og==", b"Bearer \xe9", b"text/event-stream", b"1e999",
    b"*/*;q=nan", b"a/b;q=1e400, " * 300, b"application/json; charset=\xff", b"application/json;charset=utf-16",
    b"multipart/form-data", b"bytes=99999999999999999999-", b"%00%ff", b"::1%eth0, 999.999.999.999", b"'\"\\;--",
    b"0" * 400,
)  # fmt: skip
_PATHS = (
    "/graphql?query=%00", "/graphql?query=%ff%fe", "/graphql?query=%7B__typename%7D&variables=%ed%a0%80",
    "/graphql?query=%7B__typename%7D&variables=1e999", "/graphql?documentId=" + MARK, "/graphql?" + "a=b&" * 100,
    "/graphql?query=" + "%7B" * 5_000, "/graphql?operationName=%00&query=%7Bviewer%7Brole%7D%7D", "/%00", "/%ff%fe",
    "/..%2f..%2fetc/passwd",
    "/downloads/%00", "/downloads/%ff", "/downloads/" + MARK, "/downloads/" + "a" * 5_000, "/downloads/a.b.c",
    "/downloads/é".encode().decode("latin-1"),
    "/exports/%00", "/exports/%f0%9f%92%a9", "/exports/" + "." * 500, "/uploads/%00", "/uploads/%ed%a0%80",
    "/password?token=%00", "/password?token=%ff", "/password?" + "token=a&" * 50,
    "/sign?token=%00", "/sign?token=%ff", "/sign/document?%00", "/sign/%ff", "/kpi/%00",
    "/kpi/%2e%2e/%2e%2e/server.py",
    "/kpi/%ff", "/kpi/" + "a" * 5_000, "/health?%ff", "/ready?%00",
)  # fmt: skip
_BODIES = (
    b"", b"\xff\xfe", b"\0", b'"\xed\xa0\x80"', b"null", b"[]", b"1e999", b"[" * 5_000, b'{"query":"\\ud800"}',
    b'{"query":"\xff"}',
    b'{"query":"{__typename}","query":"{a}"}', b'{"query":"{__typename}","variables":{"a":1e999}}', b'{"query":1}',
    b'{"query":"{__typename}","operationName":"\\u0000"}', b'{"query":"query\\u0000{__typename}"}',
    b'{"query":"{__typename}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"\\u0000"}}}',
    b'{"documentId":"\\u0000"}', b'{"documentId":"' + b"a" * 5_000 + b'"}',
    b'{"query":"query($a:ID=\\"\\\\u0000\\"){node(id:$a){id}}"}',
    b'{"query":"{node(id:' + b"1" * 5_000 + b'){id}}"}', b'{"query":"{learners(first:1e400){totalCount}}"}',
    b'{"query":"{learners(first:-0){totalCount}}"}',
    b'{"query":"query A{__typename} query A{__typename}","operationName":"A"}',
    b'{"query":"\xef\xbb\xbf{__typename}"}',
    b'{"query":"{__typename}","variables":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}",
    b"token=%00&new=%00&again=%00", b"token=%ff&new=%ed%a0%80&again=%ed%a0%80", b"new=a&new=b&token=a", b"&" * 5_000,
)  # fmt: skip
# Of OData, in $filter and in $orderby: nested without end, too large to compute with, or of other shapes.
_EXPRESSIONS = (
    "concat('a'," * 300 + "'a'" + ")" * 300, "(" * 1_900 + "true" + ")" * 1_900, "not " * 900 + "true",
    "round(1e400) eq 1", "substring('a',1e400) eq 'a'", "year(0001-01-01T00:00:00+14:00) eq 1", "9" * 3_900,
    "row in (" + "1," * 1_900 + "1)", "row," * 900 + "row", "'" * 3_999, "row eq '\x00'", "row eq \u0661", "a" * 5_000,
)  # fmt: skip
_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x; charset=utf-7")
_HALF = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n+2AA-\r\n--x--\r\n'
READ = b'{"query":"{ viewer { role } }"}'


def requests(token: str | None) -> Iterator[tuple[str, bytes]]:
    """Each request with what is hostile about it; with an access token, or without one."""
    for name in _HEADERS:
        for value in _VALUES:
            yield f"{name}: {value[:40]!r}", _request("POST", "/graphql", {name: value}, READ, token)
    for path in _PATHS:
        for method in ("GET", "POST", "PUT", "OPTIONS"):
            yield f"{method} {path[:60]}", _request(method, path, {"GraphQL-Preflight": b"1"}, READ, token)
    for option, text in itertools.product(("$filter", "$orderby", "$select", "$skiptoken", "$top"), _EXPRESSIONS):
        path = f"/reports/odata/overdue_actions?{option}={quote(text)}"
        yield f"GET {path[:60]}", _request("GET", path, {}, b"", token)
    for path in ("/password", "/email", "/unsubscribe", "/sign", "/sign/code", "/sign/document"):
        for kind in _FORMS:
            yield f"half a character {path}", _request("POST", path, {"Content-Type": kind}, _HALF, None)
    for body in _BODIES:
        yield f"body {body[:60]!r}", _request("POST", "/graphql", {}, body, token)
        form = {"Content-Type": b"application/x-www-form-urlencoded"}
        multipart = {"Content-Type": b"multipart/form-data; boundary=a"}
        for path in ("/password", "/sign", "/sign/code", "/sign/document"):
            yield f"form {path} {body[:60]!r}", _request("POST", path, form, body, None)
            yield f"multipart {path} {body[:60]!r}", _request("POST", path, multipart, body, None)
    for key in (b"k" * 5_000, MARK.encode(), b"\xff", b"%00"):
        change = json.dumps({"query": 'mutation { logout(refreshToken: "a") { errors { code } } }'}).encode()
        yield f"Idempotency-Key {key[:20]!r}", _request("POST", "/graphql", {"Idempotency-Key": key}, change, token)


def _request(method: str, path: str, headers: dict[str, bytes], body: bytes, token: str | None) -> bytes:
    all_headers = {"Host": b"127.0.0.1", "Content-Type": b"application/json", "Connection": b"close"}
    if token:
        all_headers["Authorization"] = b"Bearer " + token.encode()
    all_headers |= headers
    all_headers["Content-Length"] = str(len(body)).encode()
    lines = [name.encode() + b": " + value for name, value in all_headers.items()]
    return b"\r\n".join([f"{method} {path} HTTP/1.1".encode("latin-1"), *lines, b"", body])


async def send(port: int, request: bytes) -> tuple[int, str]:
    """Sends a request; returns the status and the answer without the path and headers of the request; 0 for none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        answer = b""
        try:
            async with asyncio.timeout(5):
                answer = await reader.read()
        except (ConnectionError, TimeoutError):
            pass
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]) if head else 0, body.decode("utf-8", "replace")
    finally:
        writer.close()
