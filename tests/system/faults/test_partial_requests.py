"""Partial requests to the real server: it closes each within 30 s, and other requests do not wait for them."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.http_server import serving
from tests.support.server_process import ServerProcess, server_process
from transport.timeout_protocol import TimeoutProtocol


@dataclass(frozen=True)
class Pace:
    """`timeout`: within how many seconds the server must close, and some more for a busy machine; `step`: those between
    two bytes of a client that sends so slowly that it is not finished by then.
    """

    timeout: float
    step: float
    patches: dict[str, Any]
    environment: dict[str, str]


# 30 s by trust.md, line 21.
REAL = Pace(30.0 + 3.0, 2.0, {}, {})
# The same timers, each set to a few seconds.
QUICK = Pace(
    15.0, 0.2,
    {
        "transport.timeout_protocol.TimeoutProtocol.header_seconds": 3.0,
        "transport.files.file_endpoints.routes.__kwdefaults__": {"idle_seconds": 3.0},
    },
    {"WAYMARK_LIMIT_BODY_SECONDS": "4"},
)  # fmt: skip
# More bytes than a client sends within the timeout.
SLOW_HEADERS = b"x-slow: " + b"a" * 200
SLOW_BODY = b'{"query":"{__typename}"' + b" " * 200

JSON_HEAD = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
COMPLETE = JSON_HEAD + b"content-length: 24\r\n\r\n" + b'{"query":"{__typename}"}'


async def send_partial(server: ServerProcess, pace: Pace, *parts: bytes, trickle: bytes = b"") -> bytes:
    """Sends the parts, then `trickle` byte by byte. Returns what the server sent until it closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    async def keep_sending() -> None:
        for byte in trickle:
            await asyncio.sleep(pace.step)
            writer.write(bytes([byte]))

    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.2)
    sending = asyncio.create_task(keep_sending())
    try:
        async with asyncio.timeout(pace.timeout):
            answer = await reader.read()
        return answer
    finally:
        sending.cancel()
        writer.transport.abort()


async def upload_head(person: HttpClient) -> bytes:
    """Returns the head of an upload request with a larger content length than the tests send."""
    made = await person.data(
        'mutation { fileUploadCreate(input: { name: "a.txt", contentType: "text/plain", size: 1000 }) '
        "{ upload { url } } }"
    )
    path = made["fileUploadCreate"]["upload"]["url"].split("/", 3)[3]
    return f"PUT /{path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\n".encode()


@pytest.mark.parametrize(
    "pace", [pytest.param(QUICK, id="quick"), pytest.param(REAL, id="real", marks=pytest.mark.long)]
)
async def test_partial_requests_are_closed(demo: Demo, tmp_path: Path, pace: Pace) -> None:
    url = await demo.copied("sqlite", tmp_path)
    async with (
        server_process(url, tmp_path, pace.patches, **pace.environment) as server,
        server.signed_in("learner") as ada,
    ):
        upload = await upload_head(ada)
        cases = {
            "no data": send_partial(server, pace),
            "half a request line": send_partial(server, pace, b"POST /gra"),
            "half the headers": send_partial(server, pace, JSON_HEAD),
            "headers, a byte at a time": send_partial(server, pace, JSON_HEAD, trickle=SLOW_HEADERS),
            "half a body": send_partial(server, pace, JSON_HEAD + b'content-length: 24\r\n\r\n{"query"'),
            "a body, a byte at a time": send_partial(
                server, pace, JSON_HEAD + b"content-length: 224\r\n\r\n", trickle=SLOW_BODY
            ),
            "half a body in chunks": send_partial(
                server, pace, JSON_HEAD + b'transfer-encoding: chunked\r\n\r\n8\r\n{"query"\r\n'
            ),
            "half a body to a page": send_partial(
                server, pace, b"GET /health HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc", b"d"
            ),
            "half an upload": send_partial(server, pace, upload + b"some text"),
            "a partial second request": send_partial(server, pace, COMPLETE, JSON_HEAD),
            "a line end after a request": send_partial(server, pace, COMPLETE, b"\r\n"),
            "half a handshake": send_partial(
                server, pace, b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            ),
        }
        running = {name: asyncio.create_task(work) for name, work in cases.items()}
        # Other requests succeed meanwhile.
        for _ in range(20):
            assert "errors" not in await ada.response("{ viewer { user { name } } }")
            await asyncio.sleep(0.1)
        answers = {}
        for name, task in running.items():
            try:
                answers[name] = await task
            except TimeoutError:
                raise AssertionError(f"{name}: still open after {pace.timeout} s") from None
        statuses = {name: answer.split(b" ", 2)[1:2] for name, answer in answers.items()}
        assert statuses["no data"] == []
        for name in (
            "half the headers",
            "headers, a byte at a time",
            "half a body",
            "a body, a byte at a time",
            "half an upload",
        ):
            assert statuses[name] == [b"408"], (name, answers[name])
        # The complete request before it got its response.
        assert b'{"data":{"__typename":"Query"}' in answers["a partial second request"]
        assert answers["a partial second request"].count(b"HTTP/1.1 ") == 2
        # No part of the upload is kept.
        assert list((tmp_path / "files" / "incoming").iterdir()) == []
        assert json.loads((await ada.http.get("/ready")).text) == {"status": "ok", "uploads": "ok"}
        assert not [line for line in server.log() if line.get("level") in ("error", "critical")], server.log()


async def test_a_response_that_the_client_does_not_read_is_closed(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that requests a large file and does not read it is disconnected: after a minute, here a second."""
    monkeypatch.setattr(TimeoutProtocol, "stalled_seconds", 1.0)
    content = b"a line of text\n" * 1_000_000
    async with serving(await demo.copied("sqlite", tmp_path), tmp_path) as running, running.signed_in("learner") as ada:
        file_id = await ada.upload("long.txt", "text/plain", content)
        found = await ada.data("query($id: ID!) { node(id: $id) { ... on File { download { url } } } }", id=file_id)
        path = found["node"]["download"]["url"].removeprefix(running.address)
        reader, writer = await asyncio.open_connection(*running.address.removeprefix("http://").split(":"), limit=1024)
        writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert f"content-length: {len(content)}".encode() in head.lower()
        # The client does not read: asyncio buffers twice the limit, then the buffers of the system fill.
        await asyncio.sleep(3)
        read_bytes = 0
        async with asyncio.timeout(30):
            with suppress(ConnectionError):
                while chunk := await reader.read(65536):
                    read_bytes += len(chunk)
        assert read_bytes < len(content)
        writer.transport.abort()
        assert (await ada.http.get("/ready")).status_code == 200
