"""Outcomes of aims and the work of assessors, over a handful of rows whose numbers can be read off."""

import datetime as dt

import pytest

from db.database import Database
from domain.enums import AimOutcome, AimStatus, EvidenceStatus, Role
from domain.errors import BadArgument
from loaders.core.registry import Loaders
from loaders.outcomes import OutcomesRow, outcomes
from resolvers import figures
from tests.support.factories import DAY, Factory
from tests.support.viewers import context, reading, viewer

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
TODAY = NOW.date()
ACHIEVED = {"status": AimStatus.COMPLETED, "outcome": AimOutcome.ACHIEVED}


async def test_outcomes_leave_transfers_out_and_keep_to_period_scope_and_filter(database: Database):
    async with database.writing() as session:
        factory = Factory(session, NOW)
        provider = await factory.provider()
        standard = await factory.qualification(provider, "Standard", kind="Standard")
        skill = await factory.qualification(provider, "Mathematics", kind="Functional skill")
        mine = await factory.user(provider, "Mine", Role.ASSESSOR)
        admin = await factory.user(provider, "Admin", Role.MASTER_ADMIN)

        async def aim(standard=standard, ended=TODAY, planned=TODAY, learner=None, **columns):
            learner = learner or await factory.learner(provider, f"Learner {factory.next_number()}")
            columns = {"start_date": TODAY - 200 * DAY, "actual_end_date": ended, **columns}
            await factory.aim(learner, standard, planned_end_date=planned, **columns)
            return learner

        await aim(**ACHIEVED, assessor=mine)
        await aim(**ACHIEVED, planned=TODAY - DAY)
        await aim(status=AimStatus.COMPLETED, outcome=AimOutcome.PARTLY_ACHIEVED, ended=TODAY - 30 * DAY)
        await aim(status=AimStatus.COMPLETED, standard=skill)
        await aim(status=AimStatus.WITHDRAWN, assessor=mine)
        # Out of the period, and not ended.
        await aim(**ACHIEVED, ended=TODAY - 31 * DAY)
        await aim(status=AimStatus.IN_TRAINING, ended=None)
        # A transfer is no leaver; going on to another kind of qualification is none.
        moved = await aim(status=AimStatus.WITHDRAWN, ended=TODAY - 20 * DAY)
        await aim(status=AimStatus.IN_TRAINING, learner=moved, start_date=TODAY - 20 * DAY, ended=None)
        left = await aim(status=AimStatus.WITHDRAWN, ended=TODAY - 20 * DAY)
        await aim(status=AimStatus.IN_TRAINING, standard=skill, learner=left, start_date=TODAY, ended=None)
        # Another provider's.
        other = await factory.provider("Other")
        there = await factory.learner(other, "There")
        await factory.aim(there, await factory.qualification(other, "X"), actual_end_date=TODAY, **ACHIEVED)

    async def found(who, **filter):
        return await outcomes(reading(database, who, NOW), TODAY - 30 * DAY, TODAY, filter)

    whole = await found(viewer(admin, Role.MASTER_ADMIN))
    assert whole == OutcomesRow(leaver_count=6, completed_count=4, achieved_count=2, timely_count=1)
    assert (whole.retention_percent, whole.achievement_percent, whole.timely_percent) == (66.7, 33.3, 16.7)
    assert await found(viewer(mine, Role.ASSESSOR)) == OutcomesRow(2, 1, 1, 1)
    assert await found(viewer(admin, Role.MASTER_ADMIN), qualification_id=f"Qualification_{skill.id}") == OutcomesRow(
        1, 1, 0, 0
    )
    nothing = await found(viewer(admin, Role.MASTER_ADMIN), started_from=TODAY)
    assert (nothing.leaver_count, nothing.achievement_percent) == (0, 0)


async def test_the_work_of_an_assessor(database: Database, tmp_path):
    async with database.writing() as session:
        factory = Factory(session, NOW)
        provider = await factory.provider()
        mine, other = [await factory.user(provider, name, Role.ASSESSOR) for name in ("Mine", "Other")]
        admin = await factory.user(provider, "Admin", Role.MASTER_ADMIN)
        learner = await factory.learner(provider, "Ada")
        aim, theirs = [await factory.aim(learner, assessor=each) for each in (mine, other)]

        async def evidence(about, by, *steps, status=EvidenceStatus.ASSESSED):
            """`steps`: (days before now, what happened then)."""
            added = await factory.evidence(about, by, status)
            submissions = 0
            for days, what in steps:
                at = NOW - days * DAY
                if what == "submit":
                    submissions += 1
                    await factory.evidence_version(added, submissions, submitted_at=at)
                else:
                    subject = {"subject_type": "Evidence", "subject_key": added.id, "learner_id": learner.id}
                    await factory.audit_event(by, Role.ASSESSOR, what, at=at, **subject)

        # Returned after 2 days, assessed 4 days after the resubmission; the second assessment is of the same one.
        await evidence(
            aim, mine, (20, "submit"), (18, "evidenceReturn"), (14, "submit"), (10, "evidenceAssess"),
            (9, "evidenceAssess"),
        )  # fmt: skip
        # Before the period.
        await evidence(aim, mine, (90, "submit"), (60, "evidenceAssess"))
        await evidence(aim, mine, (3, "submit"), status=EvidenceStatus.RESUBMITTED)
        await evidence(theirs, other, (8, "submit"), (8, "evidenceAssess"))
        await evidence(theirs, other, (8, "submit"), status=EvidenceStatus.SUBMITTED)

    async def work(who, user, first=TODAY - 30 * DAY, last=TODAY):
        given = context(database, who, tmp_path)
        given._loaders = Loaders(reading(database, who, NOW))
        found = await figures.workload(given, user.id, first, last)
        return found.assessed_count, found.returned_count, found.waiting_count, found.mean_days_to_assess

    whole = viewer(admin, Role.MASTER_ADMIN)
    assert await work(whole, mine) == (1, 1, 1, 3.0)
    assert await work(whole, mine, first=TODAY - 90 * DAY) == (2, 1, 1, 12.0)
    # What waits is of now; the resubmission was assessed later.
    assert await work(whole, mine, last=TODAY - 12 * DAY) == (0, 1, 1, 2.0)
    assert await work(whole, other) == (1, 0, 1, 0.0)
    assert await work(whole, admin) == (0, 0, 0, None)
    # An assessor sees a colleague's work only on the aims that they see themself.
    assert await work(viewer(mine, Role.ASSESSOR), other) == (0, 0, 0, None)
    with pytest.raises(BadArgument, match="to: The last day"):
        await figures.workload(context(database, whole, tmp_path), mine.id, TODAY, TODAY - DAY)
