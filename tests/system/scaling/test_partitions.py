"""PostgreSQL with the tables partitioned by provider: everything works on it, and answers are the same."""

from pathlib import Path

import pytest
from sqlalchemy import text

from db.database import Database
from services.audit.verify import find_problems
from services.storage.file_store import open_store
from tests.support.demo_server import Demo
from tests.support.partitioned import partition
from tests.support.saved_answers import saved_answers

PROVIDER = "Northmoor Training"
PARTS = 4


@pytest.mark.long
async def test_answers_are_the_same(demo: Demo, tmp_path: Path) -> None:
    database = Database(await demo.copied("postgresql", tmp_path))
    before = await saved_answers(database, tmp_path, PROVIDER)
    assert len(before) > 60
    assert {"learner", "aim", "evidence", "audit_event"} < set(await partition(database, PARTS))
    async with database.reading() as connection:
        parts = await connection.scalar(text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'learner'::regclass"))
    assert parts == PARTS
    assert await saved_answers(database, tmp_path, PROVIDER) == before
    assert [problem async for problem in find_problems(database, open_store(tmp_path / "files"))] == []
    await database.close()
