"""A real server on a real socket, in the test's own loop, and people who talk to it."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from server import Server, build_server
from services.settings import read_settings
from transport.timeout_protocol import TimeoutProtocol

PASSWORD = "waymark-demo"


@asynccontextmanager
async def serving(database_url: str, folder: Path, **environment: str) -> AsyncIterator["Running"]:
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
    server = build_server(settings)
    # People in tests may pause for long: a connection is never closed under a request that is on its way.
    config = uvicorn.Config(
        server.app, http=TimeoutProtocol, log_config=None, access_log=False, lifespan="on", timeout_keep_alive=600
    )
    running = uvicorn.Server(config)
    running.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(running.serve(sockets=[listener]))
    try:
        while not running.started:
            if task.done():
                await task
            await asyncio.sleep(0.01)
        yield Running(server, address)
    finally:
        server.endpoint.end_streams()
        running.should_exit = True
        await task


class Running:
    """A server that runs."""

    def __init__(self, server: Server, address: str) -> None:
        self.server = server
        self.address = address

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator["Person"]:
        """Somebody who has not signed in."""
        async with httpx2.AsyncClient(base_url=self.address, timeout=30) as client:
            yield Person(client)

    @asynccontextmanager
    async def person(self, username: str, password: str = PASSWORD, role: str | None = None) -> AsyncIterator["Person"]:
        """Somebody who has signed in."""
        async with self.stranger() as person:
            await person.sign_in(username, password, role)
            yield person


class Person:
    """A client with a token, once signed in."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.tokens: dict[str, Any] = {}

    async def sign_in(self, username: str, password: str = PASSWORD, role: str | None = None) -> dict[str, Any]:
        """Signs in; gives the payload's viewer."""
        payload = await self.data(
            "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken "
            "viewer { role mustChangePassword mustAcceptDisclaimer user { id name } } errors { code message } } }",
            input={"username": username, "password": password, "role": role},
        )
        assert payload["login"]["errors"] == [], payload
        self.use(payload["login"])
        return payload["login"]["viewer"]

    def use(self, tokens: dict[str, Any]) -> None:
        """From here on with these tokens."""
        self.tokens = tokens
        self.client.headers["authorization"] = f"Bearer {tokens['accessToken']}"

    async def post(self, query: str, **variables: Any) -> httpx2.Response:
        """The raw answer to one operation."""
        return await self.client.post("/graphql", json={"query": query, "variables": variables})

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors included."""
        return (await self.post(query, **variables)).json()

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation that has no top-level errors."""
        answer = await self.ask(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def upload(self, name: str, content_type: str, content: bytes) -> str:
        """Announces a file and sends its bytes; gives its id."""
        made = await self.data(
            "mutation($input: FileUploadInput!) { fileUploadCreate(input: $input) { "
            "upload { fileId url headers { name value } } errors { code field message } } }",
            input={"name": name, "contentType": content_type, "size": len(content)},
        )
        place = made["fileUploadCreate"]
        assert place["errors"] == [], place
        upload = place["upload"]
        headers = {header["name"]: header["value"] for header in upload["headers"]}
        sent = await self.client.put(upload["url"], content=content, headers=headers)
        assert sent.status_code in (200, 201), sent.text
        return upload["fileId"]
