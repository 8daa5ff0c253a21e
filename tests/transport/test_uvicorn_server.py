"""The end of a server: what is on its way is still answered."""

import asyncio

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from transport.timeout_protocol import TimeoutProtocol
from transport.uvicorn_server import DrainingServer


async def test_a_request_on_a_new_connection_is_answered_although_the_server_stops() -> None:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("answered"))])
    config = uvicorn.Config(app, port=0, http=TimeoutProtocol, lifespan="off", log_config=None)
    server = DrainingServer(config, 0, lambda: None)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not server.server_state.connections:
            await asyncio.sleep(0.01)
        server.should_exit = True
        while server.servers[0].is_serving():
            await asyncio.sleep(0.01)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"answered")
        await serving
