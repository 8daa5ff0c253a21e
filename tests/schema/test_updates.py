"""Loads that go on from the last one: `updatedSince` of each list, and the records that were deleted."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from db import updated_at_triggers
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.session import Session
from db.models.signature_request import SignatureRequest
from db.models.time_log_entry import TimeLogEntry
from db.models.updated_at import DeletedRecord
from domain import clock
from tests.support.client import InProcessClient
from tests.support.scenarios.authorization import AuthorizationScenario

Client = Callable[[str], InProcessClient]
LISTS: dict[str, Any] = {
    "learners(first: 100, filter: {updatedSince: $since})": Learner,
    "sessions(first: 100, filter: {updatedSince: $since})": Session,
    "timeLogEntries(first: 100, updatedSince: $since)": TimeLogEntry,
    "signatureRequests(first: 100, updatedSince: $since)": SignatureRequest,
}
DELETED = "query($since: DateTime!) { deletedRecords(since: $since) { totalCount nodes { id deletedAt } } }"
START = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
async def dated(scenario: AuthorizationScenario) -> AuthorizationScenario:
    """The records of each list changed an hour after each other."""
    async with scenario.database.writing() as session:
        connection = await session.connection()
        await connection.run_sync(updated_at_triggers.remove)
        for entity in LISTS.values():
            for number, key in enumerate(await session.scalars(select(entity.id).order_by(entity.id))):
                changed = update(entity.__table__).where(entity.id == key)
                await session.execute(changed.values(updated_at=START + number * HOUR))
        await connection.run_sync(updated_at_triggers.install)
    return scenario


@pytest.mark.parametrize("field", LISTS)
async def test_lists_give_what_changed_since(client: Client, dated: AuthorizationScenario, field: str):
    document = f"query($since: DateTime) {{ list: {field} {{ totalCount nodes {{ id updatedAt }} }} }}"
    everything = (await client("may").data(document))["list"]["nodes"]
    times = sorted(dt.datetime.fromisoformat(each["updatedAt"]) for each in everything)
    assert len(times) > 2
    # A change up to a minute before is given too, and not one before that.
    for since, first in ((times[1], 1), (times[1] + dt.timedelta(seconds=60), 1), (times[1] + 2 * HOUR, 3)):
        found = (await client("may").data(document, since=since.isoformat()))["list"]
        assert sorted(dt.datetime.fromisoformat(each["updatedAt"]) for each in found["nodes"]) == times[first:]
        assert found["totalCount"] == len(found["nodes"])


async def test_who_saw_a_record_learns_of_its_deletion(client: Client, dated: AuthorizationScenario):
    now = clock.now()
    async with dated.database.writing() as session:
        # The scenario deletes some while it is built, perhaps less than a minute ago.
        await session.execute(DeletedRecord.__table__.delete())
        rows = (await session.execute(select(Aim.id, Aim.learner_id, Aim.provider_id))).all()
        await session.execute(
            insert(DeletedRecord),
            [
                {
                    "provider_id": aim.provider_id, "learner_id": aim.learner_id, "aim_id": aim.id,
                    "record_type": "Action", "record_key": 1000 + aim.id, "deleted_at": now,
                }
                for aim in rows
            ],
        )  # fmt: skip
    aims_of = "{ learners(first: 100) { nodes { aims { id } } } }"
    seen_by: dict[str, set[str]] = {}
    for who in ("may", "ann", "bob", "mo", "olu", "ada", "ian"):
        learners = (await client(who).data(aims_of))["learners"]["nodes"]
        visible = {f"Action_{1000 + int(aim['id'].split('_')[1])}" for each in learners for aim in each["aims"]}
        listed = (await client(who).data(DELETED, since=now.isoformat()))["deletedRecords"]
        seen_by[who] = {each["id"] for each in listed["nodes"]}
        assert seen_by[who] == visible and listed["totalCount"] == len(visible)
    assert len(set(map(frozenset, seen_by.values()))) > 3
    later = (now + 2 * HOUR).isoformat()
    assert (await client("may").data(DELETED, since=later))["deletedRecords"]["nodes"] == []
    async with dated.database.writing() as session:
        await session.execute(DeletedRecord.__table__.delete())


async def test_a_time_of_which_no_deletions_are_kept_is_refused(client: Client, dated: AuthorizationScenario):
    long_ago = (clock.now() - dt.timedelta(days=400)).isoformat()
    (message,) = await client("may").error_messages(DELETED, since=long_ago)
    assert message == "since: Deletions are kept for 366 days. Load everything again."
