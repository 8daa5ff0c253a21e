"""What tests of the saved operations share: the demo on a real server, and what each operation did there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from queries.client import Answer, Client
from queries.saved import find
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, Running

USERNAMES = {
    "LEARNER": "learner",
    "ASSESSOR": "assessor",
    "IQA": "iqa",
    "EMPLOYER_MANAGER": "employer.manager",
    "EMPLOYER_OVERVIEW": "employer.overview",
    "BASIC_ADMIN": "basic.admin",
    "MASTER_ADMIN": "master.admin",
}


@dataclass(frozen=True)
class Ran:
    """One answer, and what the server's log says of it."""

    data: dict[str, Any]
    cost: int
    statements: int


class Desk:
    """Runs saved operations in each role, over HTTP, as somebody of the demo."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self._clients: dict[str, Client] = {}

    async def client(self, role: str) -> Client:
        """Signed in as the demo's person of that role."""
        if role not in self._clients:
            client = Client(self.running.address)
            await asyncio.to_thread(client.sign_in, USERNAMES[role], PASSWORD)
            self._clients[role] = client
        return self._clients[role]

    async def run(self, role: str, name: str, variables: Mapping[str, Any]) -> Ran:
        """One page of one operation."""
        client = await self.client(role)
        with capture_logs() as logs:
            answer: Answer = await asyncio.to_thread(client.ask, find(name), variables)
        (line,) = [line for line in logs if line["event"] == "operation"]
        assert (line["operation"], line["role"], line["code"]) == (name, role, None)
        assert line["cost"] == answer.cost
        return Ran(answer.data, line["cost"], line["statements"])

    async def close(self) -> None:
        for client in self._clients.values():
            await asyncio.to_thread(client.close)


@pytest.fixture(scope="session")
async def export_service(demo: Demo, backend: str) -> AsyncIterator[Desk]:
    """A server over the demo, which nobody changes."""
    async with demo.serving(backend) as running:
        made = Desk(running)
        yield made
        await made.close()


@pytest.fixture(scope="session")
def served(export_service: Desk) -> Running:
    """The server behind the desk."""
    return export_service.running


@pytest.fixture
async def own_desk(demo: Demo, backend: str) -> AsyncIterator[Desk]:
    """A server over a demo that the test may change."""
    async with demo.serving(backend) as running:
        made = Desk(running)
        yield made
        await made.close()
