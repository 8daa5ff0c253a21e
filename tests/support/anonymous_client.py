"""An anonymous caller of the minimal schema, and how much work the server does for the caller's documents."""

import json

import httpx2 as httpx

from tests.support.minimal_schema import AppState, make_app

JSON = {"content-type": "application/json"}
SIGNED = {**JSON, "authorization": "Bearer 7"}
GRAPHQL = {**JSON, "accept": "application/graphql-response+json"}
GENERIC = {
    "errors": [
        {
            "message": "Sign in first: without an access token only the sign-in operations can be run.",
            "extensions": {"code": "UNAUTHENTICATED"},
        }
    ]
}


class Asking:
    """Sends anonymous requests to an app, and counts its work on documents."""

    def __init__(self, limits=None, **options):
        self.state = AppState()
        app, self.endpoint, _ = make_app(self.state, limits, **options)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    async def __call__(self, query=None, variables=None, headers=GRAPHQL, **more):
        body = {"query": query, "variables": variables, **more}
        return await self.client.post("/graphql", content=json.dumps(body), headers=headers)

    async def data(self, query, **variables):
        answer = await self(query, variables)
        assert "errors" not in answer.json(), answer.json()
        return answer.json()["data"]

    @property
    def work(self):
        """How many documents were parsed, and how many validated."""
        return self.endpoint.cache_stats.parsed, self.endpoint.cache_stats.validated
