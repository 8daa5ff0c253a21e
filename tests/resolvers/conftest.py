"""What the tests of the mutations share: a learner with everybody around them, on both databases."""

from pathlib import Path

import pytest

from db.database import Database
from tests.support.scenarios import Stage, set_stage


@pytest.fixture
async def stage(database: Database, tmp_path: Path) -> Stage:
    """A world of its own for one test."""
    return await set_stage(database, tmp_path)
