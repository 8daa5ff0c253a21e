"""Which requests do not go through Starlette: POST requests to certain paths."""

import pytest
from starlette.types import Receive, Scope, Send

from transport.app import PostsFirst


class App:
    """An ASGI app that notes the paths of its requests."""

    def __init__(self) -> None:
        self.paths: list[str | None] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope.get("path"))


@pytest.mark.parametrize(
    ("scope", "is_direct"),
    [
        ({"type": "http", "method": "POST", "path": "/graphql"}, True),
        ({"type": "http", "method": "POST", "path": "/graphql", "root_path": ""}, True),
        ({"type": "http", "method": "GET", "path": "/graphql"}, False),
        ({"type": "http", "method": "POST", "path": "/graphql/"}, False),
        # Mounted elsewhere, the path begins with that.
        ({"type": "http", "method": "POST", "path": "/graphql", "root_path": "/graphql"}, False),
        ({"type": "websocket", "path": "/graphql"}, False),
        ({"type": "lifespan"}, False),
    ],
)
async def test_only_posts_to_their_path_go_past_the_app(scope: Scope, is_direct: bool):
    async def nothing(*_: object) -> dict[str, object]:
        return {}

    app, endpoint = App(), App()
    await PostsFirst(app, {"/graphql": endpoint})(scope, nothing, nothing)
    assert (len(endpoint.paths), len(app.paths)) == ((1, 0) if is_direct else (0, 1))
