"""What tests of the saved operations share: the demo on a real server, and people who run operations on it."""

from collections.abc import AsyncIterator

import pytest

from tests.demo_world import Demo
from tests.serving import Running


@pytest.fixture(scope="session")
async def served(demo: Demo, backend: str) -> AsyncIterator[Running]:
    """A server over the demo, which nobody changes."""
    async with demo.serving(backend, WAYMARK_LIMIT_BUDGET="0") as running:
        yield running
