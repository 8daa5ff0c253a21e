"""The client of S3 takes its options from the environment, as those who run it elsewhere set them."""

import ast
import asyncio
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import BaseError

from services.storage.s3 import CLIENT_OPTIONS, open_bucket


def test_the_options_are_those_of_the_library() -> None:
    stub = Path(obstore.__file__).parent / "_store/_client.pyi"
    (options,) = (node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ClassDef))
    names = {each.target.id for each in options.body if isinstance(each, ast.AnnAssign)}
    # Headers are no text, which a variable could have.
    assert set(CLIENT_OPTIONS) == names - {"default_headers"}


@pytest.mark.parametrize("variable", ["AWS_ALLOW_HTTP", "AWS_TIMEOUT", "AWS_PROXY_URL"])
def test_an_option_that_is_not_valid_is_refused(variable: str) -> None:
    with pytest.raises(ValueError, match="not valid") as raised:
        open_bucket("s3://evidence/waymark", {variable: "may be"})
    assert "may be" not in str(raised.value)


async def test_a_server_without_tls_is_asked_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    allowed = open_bucket("s3://evidence/waymark", {"AWS_ALLOW_HTTP": "true", "AWS_USER_AGENT": "waymark"})
    with pytest.raises(FileNotFoundError):
        await obstore.head_async(allowed, "a")
    assert asked[0].startswith(b"HEAD /evidence/waymark/a ") and b"user-agent: waymark" in asked[0].lower()
    with pytest.raises(BaseError):
        await obstore.head_async(open_bucket("s3://evidence/waymark", {}), "a")
    assert len(asked) == 1
    server.close()
