"""Pages of many learners at once: every page of every learner put together is their whole list, once, in order."""

import asyncio
import datetime as dt
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from db.database import Database, statement_count
from domain.enums import JobSetting, Role, SessionStatus
from domain.errors import BadArgument
from loaders.action import ACTIONS_OF_LEARNER
from loaders.core.learner_list import LearnerList, whole_list
from loaders.core.registry import Loaders
from loaders.evidence import EVIDENCE_OF_LEARNER
from loaders.session import SESSIONS_OF_LEARNER
from loaders.signature_request import REQUESTS_OF_LEARNER
from loaders.time_log_entry import TIME_LOG
from tests.support.viewers import reading, viewer
from tests.support.worlds import DAY, World

LISTS = (ACTIONS_OF_LEARNER, EVIDENCE_OF_LEARNER, REQUESTS_OF_LEARNER, SESSIONS_OF_LEARNER, TIME_LOG)


@pytest.fixture
async def plans(database: Database) -> SimpleNamespace:
    """Learners with 0 to 12 of everything, many at the same moment or on the same day."""
    rng = Random(3)
    async with database.writing() as session:
        world = World(session)
        provider = await world.provider()
        admin = await world.user(provider, "Admin", Role.MASTER_ADMIN)
        learners = [await world.learner(provider, f"Learner {number}") for number in range(5)]
        for learner, size in zip(learners, (0, 1, 3, 7, 12), strict=True):
            aim = await world.aim(learner)
            for _ in range(size):
                day = world.today - rng.randrange(3) * DAY
                moment = world.now - dt.timedelta(microseconds=rng.randrange(3))
                await world.session_of(learner, admin, moment, status=rng.choice(list(SessionStatus)))
                await world.action(learner, admin, target_date=day)
                await world.evidence(aim, admin, submitted_at=moment)
                await world.time(learner, admin, rng.randint(1, 60), date=day, job_setting=rng.choice(list(JobSetting)))
                await world.signature_request(learner, admin, (Role.LEARNER,), requested_at=moment)
    return SimpleNamespace(
        keys=[learner.id for learner in learners],
        loaders=lambda: Loaders(reading(database, viewer(admin, Role.MASTER_ADMIN))),
    )


async def walked(plans: SimpleNamespace, listed: LearnerList[Any], key: int, first: int) -> list[int]:
    """The keys of one learner's list, page after page."""
    after, found = None, []
    while True:
        page = await plans.loaders().pages(listed, first, after).load(key)
        assert page.has_previous_page is (after is not None)
        found += [row.key for row in page.nodes]
        if not page.has_next_page:
            return found
        assert len(page.nodes) == first
        after = page.end_cursor


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.order.name)
async def test_pages_put_together_are_the_list(plans: SimpleNamespace, listed: LearnerList[Any]) -> None:
    at_once = await plans.loaders().pages(listed, 100, None).load_many(plans.keys)
    for key, page, size in zip(plans.keys, at_once, (0, 1, 3, 7, 12), strict=True):
        in_order = sorted(page.nodes, key=lambda row: (listed.order.of(row), row.key), reverse=listed.order.descending)
        assert [row.key for row in page.nodes] == [row.key for row in in_order]
        assert len(page.nodes) == size == await page.count()
        assert {row.learner_key for row in page.nodes} <= {key}
        for first in (1, 2, 7, 12):
            assert await walked(plans, listed, key, first) == [row.key for row in page.nodes]
        for at_a_time in (1, 3, 12, 50):
            rows = await whole_list(plans.loaders().reading, listed, key, {}, at_a_time)
            assert [row.key for row in rows] == [row.key for row in page.nodes]


async def test_totals_of_every_learner_in_one_statement_and_only_if_asked(plans: SimpleNamespace) -> None:
    count = [0]
    token = statement_count.set(count)
    pages = await plans.loaders().pages(TIME_LOG, 2, None, job_setting=JobSetting.ON_THE_JOB).load_many(plans.keys)
    assert count == [1]
    counts = await asyncio.gather(*(page.count() for page in pages))
    sums = await asyncio.gather(*(page.extra() for page in pages))
    statement_count.reset(token)
    assert count == [2]
    every = await plans.loaders().pages(TIME_LOG, 100, None).load_many(plans.keys)
    on = [[row.minutes for row in page.nodes if row.job_setting is JobSetting.ON_THE_JOB] for page in every]
    assert counts == [len(minutes) for minutes in on]
    assert [list(one) for one in sums] == [[sum(minutes)] for minutes in on]


async def test_a_page_that_cannot_be_is_refused(plans: SimpleNamespace) -> None:
    loaders = plans.loaders()
    page = await loaders.pages(TIME_LOG, 1, None).load(plans.keys[4])
    for first, after in ((0, None), (101, None), (-1, None), (1, "x"), (1, "")):
        with pytest.raises(BadArgument):
            loaders.pages(TIME_LOG, first, after)
    with pytest.raises(BadArgument):
        loaders.pages(SESSIONS_OF_LEARNER, 1, page.end_cursor)
