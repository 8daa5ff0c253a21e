"""How the check of signatures reads a large installation; what it finds is in test_verify.py."""

import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from services.audit import signature_check
from services.audit.signature_check import signature_problems


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_no_signature_is_looked_up_in_the_whole_trail(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the index of the provider, SQLite read the trail again for each criterion of each signed unit."""
    real, plans = signature_check.stream_rows, []

    def stream(session: AsyncSession, statement: Select[*tuple[object, ...]]) -> object:
        plans.append(str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})))
        return real(session, statement)

    monkeypatch.setattr(signature_check, "stream_rows", stream)
    async with database.snapshot() as session:
        assert [problem async for problem in signature_problems(session)] == []
        lookups = [
            row.detail
            for plan in plans
            for row in await session.execute(text(f"EXPLAIN QUERY PLAN {plan.replace(':', chr(92) + ':')}"))
            if "audit_event_1 USING" in row.detail
        ]
    assert len(lookups) >= 3
    assert all("ix_audit_event_learner (" in each or "subject_key=?" in each for each in lookups), lookups
