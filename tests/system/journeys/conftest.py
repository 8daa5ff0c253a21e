"""The fixtures of the journeys: the demo on a real server, its users, and a real mail server."""

from collections.abc import AsyncIterator

import pytest

from tests.support.demo_server import Demo
from tests.support.http_server import Clients
from tests.support.smtp_server import Post


@pytest.fixture(scope="module")
async def post() -> AsyncIterator[Post]:
    """The mail server of the module's demo."""
    async with Post() as post:
        yield post


@pytest.fixture(scope="module")
async def clients(demo: Demo, backend: str, post: Post) -> AsyncIterator[Clients]:
    """The users of the module's own demo."""
    async with demo.serving(backend, WAYMARK_SMTP_URL=post.url) as running:
        clients = Clients(running)
        yield clients
        await clients.close()
