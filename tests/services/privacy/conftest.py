"""What the tests of privacy share: the demo to read from, and one of its own for a test that erases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.demo_server import Demo
from tests.support.privacy_scenario import Scene, scene_of


@pytest.fixture(scope="module")
async def reading(demo: Demo, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """For tests that change nothing but the audit trail."""
    async with scene_of(demo, backend, tmp_path_factory.mktemp("reading")) as scene:
        yield scene


@pytest.fixture
async def scene(demo: Demo, backend: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene_of(demo, backend, tmp_path) as scene:
        yield scene
