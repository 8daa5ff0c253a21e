"""Fixtures for the tests of the saved operations: a server over the demo, and a runner with a client for each role."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from queries.client import Client
from queries.operations import get_operation
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, RunningServer

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
class LoggedResult:
    """The data of one response, with the cost and the number of SQL statements that the server logged."""

    data: dict[str, Any]
    cost: int
    statements: int


class OperationRunner:
    """Runs saved operations over HTTP, as the demo user of each role."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self._clients: dict[str, Client] = {}
        # What the tests know of the demo that no test changes: see `ids_of`.
        self.known: dict[str, Any] = {}

    async def client(self, role: str) -> Client:
        """Returns a client that is signed in as the demo user of the role."""
        if role not in self._clients:
            client = Client(self.running.address)
            await asyncio.to_thread(client.sign_in, USERNAMES[role], PASSWORD)
            self._clients[role] = client
        return self._clients[role]

    async def run(self, role: str, name: str, variables: Mapping[str, Any]) -> LoggedResult:
        """Runs one operation and returns its result; only one page is fetched."""
        client = await self.client(role)
        with capture_logs() as logs:
            result = await asyncio.to_thread(client.execute, get_operation(name), variables)
        (line,) = [line for line in logs if line["event"] == "operation"]
        assert (line["operation"], line["role"], line["code"]) == (name, role, None)
        assert line["cost"] == result.cost
        return LoggedResult(result.data, line["cost"], line["statements"])

    async def close(self) -> None:
        for client in self._clients.values():
            await asyncio.to_thread(client.close)


@pytest.fixture(scope="session")
async def runner(demo: Demo, backend: str) -> AsyncIterator[OperationRunner]:
    """A runner on a server over the demo, whose data no test changes."""
    async with demo.serving(backend) as running:
        shared_runner = OperationRunner(running)
        yield shared_runner
        await shared_runner.close()


@pytest.fixture(scope="session")
def served(runner: OperationRunner) -> RunningServer:
    """The shared runner's server."""
    return runner.running


@pytest.fixture
async def own_runner(demo: Demo, backend: str) -> AsyncIterator[OperationRunner]:
    """A runner on a server over a demo of its own, which the test may change."""
    async with demo.serving(backend) as running:
        own_runner = OperationRunner(running)
        yield own_runner
        await own_runner.close()
