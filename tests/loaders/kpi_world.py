"""A world of learners in all states, at two providers alike, for the tests of the KPIs."""

import datetime as dt
from random import Random

from sqlalchemy import true

from db.database import Database
from db.migrate import migrate
from domain.enums import (
    ActionStatus,
    AimStatus,
    EvidenceStatus,
    JobSetting,
    Role,
    SessionStatus,
    SignatureRequestStatus,
)
from domain.progress import ENDED
from services.off_the_job import recount_time
from tests.support.factories import DAY, Factory

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)


async def fill_world(database: Database) -> None:
    """Two providers alike, so that whatever leaks is counted: a head office, two sites, learners in all states."""
    await migrate(database)
    rng = Random(7)
    async with database.writing() as session:
        factory = Factory(session, NOW)
        for name in ("First", "Second"):
            provider = await factory.provider(name)
            head = await factory.employer(provider, "Head office")
            sites = [head, *[await factory.employer(provider, f"Site {n}", head) for n in range(2)]]
            people = {role: await factory.user(provider, role.value, role) for role in Role if role is not Role.LEARNER}
            other = await factory.user(provider, "Another", Role.ASSESSOR, Role.IQA)
            standards = [
                await factory.qualification(provider, f"Standard {hours}", off_the_job_hours_minimum=hours)
                for hours in (278, 33, None)
            ]
            for number in range(20):
                learner = await factory.learner(provider, f"Learner {number}", rng.choice([*sites, None]))
                if number % 3 == 0:
                    await factory.allocate(people[Role.EMPLOYER_MANAGER], learner)
                statuses = ENDED if number % 4 == 3 else [AimStatus.IN_TRAINING] * 4 + list(AimStatus)
                aims = [
                    await _aim(factory, rng, learner, rng.choice(standards), people, other, rng.choice(statuses))
                    for _ in range(3)
                ]
                for _ in range(6):
                    await _records(factory, rng, learner, rng.choice([*aims, None]), people[Role.ASSESSOR])
            await factory.oversee(people[Role.EMPLOYER_OVERVIEW], *sites[1:])
        await recount_time(session, true())


async def _aim(factory, rng, learner, standard, people, other, status):
    start = factory.today - rng.randrange(-20, 400) * DAY
    criteria = rng.choice([7, 10, 40])
    breaks = []
    if start < factory.today - 90 * DAY and rng.random() < 0.5:
        breaks.append((start + 20 * DAY, start + rng.randrange(21, 60) * DAY))
    if status is AimStatus.SUSPENDED:
        breaks.append((max(start, factory.today - rng.randrange(0, 40) * DAY), None))
    return await factory.aim(
        learner,
        standard,
        assessor=rng.choice([people[Role.ASSESSOR], other, None]),
        iqa=rng.choice([people[Role.IQA], other, None]),
        criteria=criteria,
        mapped=rng.randrange(0, criteria + 1),
        breaks=breaks,
        signed_off=rng.randrange(0, 2),
        status=status,
        start_date=start,
        planned_end_date=start + rng.randrange(0, 500) * DAY,
    )


async def _records(factory, rng, learner, aim, by):
    status = rng.choice(list(ActionStatus))
    await factory.action(learner, by, aim, status=status, target_date=factory.today + rng.choice([-1, 0, 1]) * DAY)
    setting = rng.choice(list(JobSetting))
    day = factory.today - rng.randrange(0, 200) * DAY
    await factory.time_log_entry(learner, by, rng.randrange(1, 900), aim, job_setting=setting, date=day)
    if aim:
        await factory.evidence(aim, by, rng.choice(list(EvidenceStatus)))
    # On the moment, on the last one that counts, and just beyond either.
    edges = [dt.timedelta(0), 3 * DAY, 7 * DAY - dt.timedelta(microseconds=1), 7 * DAY, -dt.timedelta(microseconds=1)]
    starts, about = NOW + rng.choice(edges), [aim] if aim else []
    await factory.session_of(learner, by, starts, *about, status=rng.choice([SessionStatus.PLANNED, *SessionStatus]))
    roles = rng.sample(list(Role), 3)
    state = rng.choice([SignatureRequestStatus.PENDING, *SignatureRequestStatus])
    await factory.signature_request(learner, by, tuple(roles[:2]), {roles[2]: by}, status=state)
