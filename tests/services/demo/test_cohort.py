"""Cohorts: as large as requested, consistent, and several in one database."""

from collections import Counter
from pathlib import Path

import pytest

from db.database import Database
from db.models.employer import Employer
from domain import clock
from services.audit.progress_check import progress_mismatches
from services.demo import build_cohort
from services.storage.file_store import open_store
from tests.services.demo.test_demo import DemoData


@pytest.mark.long
async def test_a_cohort_has_the_requested_size_and_is_consistent(database: Database, tmp_path: Path):
    store = open_store(tmp_path)
    accounts = await build_cohort(database, store, learners=203)
    second = await build_cohort(database, store, learners=3)
    assert {account.username for account in accounts} == {
        f"cohort.{word}" for word in ("admin", "overview", "iqa", "assessor", "manager", "learner")
    }
    assert {account.username.split(".")[0] for account in second} == {"cohort2"}
    data = await DemoData(database, store).read()
    assert Counter(row.provider_id for row in data["learner"]).most_common() == [(1, 203), (2, 3)]
    async with database.writing() as session:
        assert await progress_mismatches(session) == []
    assert {row.criteria_total for row in data["aim_progress"]} == {180}
    assert len(data["aim"]) == 3 * 206
    assert len(data.of("aim", data.learner("cohort.learner"))) == 3
    overview = [row for row in data["overview_allocation"] if row.user_id == data.user("cohort.overview")]
    sites = {row.employer_id for row in overview}
    assert sum(row.employer_id in sites for row in data["learner"]) == 200
    # Rows that are added later get keys that are not in use.
    async with database.writing() as session:
        session.add(Employer(provider_id=1, name="Added later", created_at=clock.now()))
