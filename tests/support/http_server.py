"""A server on a real socket in the event loop of the tests, and its clients."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import cache, partial
from pathlib import Path

import httpx2
import pytest
import uvicorn
from graphql import GraphQLSchema

from schema import root
from server import Server, build_server
from services.settings import read_settings
from tests.support.client import PASSWORD, HttpClient
from transport.graphql.document_cache import DocumentCache
from transport.graphql.prepared_document import PreparedDocument
from transport.graphql.time_slicing import Steps
from transport.timeout_protocol import TimeoutProtocol

__all__ = ["PASSWORD", "Clients", "RunningServer", "serving"]


# By schema, limits and text, what a server of this process has prepared. The compiled code of a document goes with it.
_prepared: dict[tuple[GraphQLSchema, str, str], PreparedDocument] = {}
# Longer documents, and those beyond this number, are those of tests about documents, which each server prepares itself.
_MOST_CHARACTERS, _MOST_DOCUMENTS = 10_000, 3_000
_schema = cache(root.make_schema)
_pin = DocumentCache.pin


def _key(documents: DocumentCache, text: str) -> tuple[GraphQLSchema, str, str]:
    return documents._schema, repr(documents._limits), text


def _pin_once(documents: DocumentCache, text: str) -> PreparedDocument:
    key = _key(documents, text)
    if key not in _prepared:
        _prepared[key] = _pin(documents, text)
    documents._pinned[text] = _prepared[key]
    return _prepared[key]


def _prepare_once(documents: DocumentCache, text: str) -> Steps[PreparedDocument]:
    key = _key(documents, text)
    if (known := _prepared.get(key)) is None:
        known = yield from DocumentCache._steps(documents, text)
        if len(text) <= _MOST_CHARACTERS and len(_prepared) < _MOST_DOCUMENTS:
            _prepared[key] = known
    return known


@contextmanager
def sharing() -> Iterator[None]:
    """Servers that are built in the block share what is made of the code alone, which takes most of their start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(root, "make_schema", _schema)
        patch.setattr(DocumentCache, "pin", _pin_once)
        yield


@asynccontextmanager
async def serving(database_url: str, folder: Path, **environment: str) -> AsyncIterator["RunningServer"]:
    """Serves a database until the block ends. `environment`: further settings, such as WAYMARK_SMTP_URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = read_settings(
        {
            "WAYMARK_DATABASE_URL": database_url,
            "WAYMARK_DATA": str(folder),
            "WAYMARK_BASE_URL": address,
            "WAYMARK_METRICS": "off",
            "WAYMARK_SECRET_KEYS": "test:" + base64.b64encode(bytes(range(32))).decode(),
            **environment,
        }
    )
    with sharing():
        server = build_server(settings)
    documents = server.endpoint.runner.document_cache
    documents._steps = partial(_prepare_once, documents)  # type: ignore[method-assign]
    # A test may pause for long between requests: the server must not close the connection in between.
    config = uvicorn.Config(
        server.app,
        http=TimeoutProtocol,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_keep_alive=600,
        proxy_headers=False,
    )
    running = uvicorn.Server(config)
    running.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(running.serve(sockets=[listener]))
    try:
        while not running.started:
            if task.done():
                await task
            await asyncio.sleep(0.01)
        yield RunningServer(server, address)
    finally:
        server.endpoint.end_streams()
        running.should_exit = True
        await task


class RunningServer:
    """A server that runs until its block ends."""

    def __init__(self, server: Server, address: str) -> None:
        self.server = server
        self.address = address

    @asynccontextmanager
    async def anonymous(self) -> AsyncIterator[HttpClient]:
        """A client that has not signed in."""
        async with httpx2.AsyncClient(base_url=self.address, timeout=30) as http:
            yield HttpClient(http)

    @asynccontextmanager
    async def signed_in(
        self, username: str, password: str = PASSWORD, role: str | None = None
    ) -> AsyncIterator[HttpClient]:
        """A client that has signed in."""
        async with self.anonymous() as client:
            await client.sign_in(username, password, role)
            yield client


class Clients:
    """Clients of one server, each user signed in once: `await clients("assessor")`."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self._signed_in: dict[tuple[str, str | None], HttpClient] = {}
        self._stack = AsyncExitStack()

    async def __call__(self, username: str, role: str | None = None) -> HttpClient:
        if (username, role) not in self._signed_in:
            client = await self.anonymous()
            await client.sign_in(username, PASSWORD, role)
            self._signed_in[username, role] = client
        return self._signed_in[username, role]

    async def anonymous(self) -> HttpClient:
        """A client that has not signed in."""
        return await self._stack.enter_async_context(self.running.anonymous())

    async def close(self) -> None:
        await self._stack.aclose()
