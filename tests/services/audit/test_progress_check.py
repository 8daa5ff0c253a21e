"""How the check of the progress sums reads a large database; what it finds is in test_verify.py."""

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from db.database import Database
from services.audit.progress_check import differing_counts


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_evidence_is_counted_without_a_join(database: Database) -> None:
    """With a join, PostgreSQL counted the evidence of 500 aims again for each of their criteria: 100 s for a batch."""
    statement = differing_counts(lambda aim_id: aim_id > 0)
    sql = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    async with database.reading(primary=True) as connection:
        plan = "\n".join((await connection.execute(text(f"EXPLAIN {sql}"))).scalars())
    assert plan.count("Aggregate") == 1 and "Join" not in plan and "Nested Loop" not in plan
