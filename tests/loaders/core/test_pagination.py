"""Pages of many learners at once: every page of every learner put together is their whole list, once, in order."""

import asyncio
import datetime as dt
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete

from db.database import Database, statement_count
from db.models.action import Action
from domain.enums import JobSetting, Role, SessionStatus
from domain.errors import BadArgument
from loaders.action import ACTIONS
from loaders.core import list_statements
from loaders.core.paged_list import PagedList, PagesLoader, whole_list
from loaders.core.pagination import PageArguments
from loaders.core.registry import Loaders
from loaders.evidence import EVIDENCE
from loaders.session import SESSIONS
from loaders.signature_request import SIGNATURE_REQUESTS
from loaders.time_log_entry import TIME_LOG
from tests.support.factories import DAY, Factory
from tests.support.viewers import reading, viewer

LISTS = (ACTIONS, EVIDENCE, SIGNATURE_REQUESTS, SESSIONS, TIME_LOG)


@pytest.fixture
async def plans(database: Database) -> SimpleNamespace:
    """Learners with 0 to 12 of everything, many at the same moment or on the same day."""
    rng = Random(3)
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider()
        admin = await factory.user(provider, "Admin", Role.MASTER_ADMIN)
        learners = [await factory.learner(provider, f"Learner {number}") for number in range(5)]
        for learner, size in zip(learners, (0, 1, 3, 7, 12), strict=True):
            aim = await factory.aim(learner)
            for _ in range(size):
                day = factory.today - rng.randrange(3) * DAY
                moment = factory.now - dt.timedelta(microseconds=rng.randrange(3))
                await factory.session_of(learner, admin, moment, status=rng.choice(list(SessionStatus)))
                await factory.action(learner, admin, target_date=day)
                await factory.evidence(aim, admin, submitted_at=moment)
                await factory.time_log_entry(
                    learner, admin, rng.randint(1, 60), date=day, job_setting=rng.choice(list(JobSetting))
                )
                await factory.signature_request(learner, admin, (Role.LEARNER,), requested_at=moment)
    return SimpleNamespace(
        keys=[learner.id for learner in learners],
        loaders=lambda: Loaders(reading(database, viewer(admin, Role.MASTER_ADMIN))),
    )


def loader_of(
    plans: SimpleNamespace, listed: PagedList[Any], arguments: PageArguments, **values: Any
) -> PagesLoader[Any]:
    return plans.loaders().get(PagesLoader, listed, "learner", arguments, tuple(values.items()))


async def walked(plans: SimpleNamespace, listed: PagedList[Any], key: int, size: int, backwards: bool) -> list[int]:
    """The keys of one learner's list, page after page, from either end."""
    cursor, found = None, []
    while True:
        arguments = PageArguments(last=size, before=cursor) if backwards else PageArguments(size, cursor)
        page = await loader_of(plans, listed, arguments).load(key)
        more, came_from = page.has_next_page, page.has_previous_page
        if backwards:
            more, came_from = came_from, more
        assert came_from is (cursor is not None)
        keys = [row.key for row in page.nodes]
        found = keys + found if backwards else found + keys
        if not more:
            return found
        assert len(page.nodes) == size
        cursor = page.start_cursor if backwards else page.end_cursor


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.order.name)
async def test_all_pages_together_are_the_list(plans: SimpleNamespace, listed: PagedList[Any]) -> None:
    at_once = await loader_of(plans, listed, PageArguments(100)).load_many(plans.keys)
    whole = [[row.key for row in page.nodes] for page in at_once]
    for page_size in (1, 3, 7):
        first = await loader_of(plans, listed, PageArguments(page_size)).load_many(plans.keys)
        last = await loader_of(plans, listed, PageArguments(last=page_size)).load_many(plans.keys)
        assert [[row.key for row in page.nodes] for page in first] == [keys[:page_size] for keys in whole]
        assert [[row.key for row in page.nodes] for page in last] == [keys[-page_size:] for keys in whole]
    for key, page, size in zip(plans.keys, at_once, (0, 1, 3, 7, 12), strict=True):
        in_order = sorted(
            page.nodes, key=lambda row: (listed.order.value_of(row), row.key), reverse=listed.order.descending
        )
        assert [row.key for row in page.nodes] == [row.key for row in in_order]
        assert len(page.nodes) == size == await page.count()
        assert {row.learner_key for row in page.nodes} <= {key}
        for each in (1, 2, 7, 12):
            for backwards in (False, True):
                assert await walked(plans, listed, key, each, backwards) == [row.key for row in page.nodes]
        for at_a_time in (1, 3, 12, 50):
            reading = plans.loaders().reading
            rows = await whole_list(reading, listed, "learner", key, {}, at_a_time)
            assert [row.key for row in rows] == [row.key for row in page.nodes]


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.order.name)
async def test_the_statement_of_one_page_counts_the_whole_list(plans: SimpleNamespace, listed: PagedList[Any]) -> None:
    for key, size in zip(plans.keys, (0, 1, 3, 7, 12), strict=True):
        whole = await loader_of(plans, listed, PageArguments(100)).load(key)
        middle = whole.cursor(size // 2) if size else None
        for arguments in (PageArguments(2), PageArguments(2, middle), PageArguments(last=2, before=middle)):
            loader = plans.loaders().get(PagesLoader, listed, "learner", arguments, (), None, True)
            sent = statement_count.set([0])
            page = await loader.load(key)
            assert await page.count() == size
            # A page behind the last entry has no row that could show the number.
            past_the_end = arguments.after is not None and size == 1 or arguments.before is not None and size == 1
            assert statement_count.get() == [2 if past_the_end else 1]
            statement_count.reset(sent)
    many = plans.loaders().get(PagesLoader, listed, "learner", PageArguments(2), (), None, True)
    assert [await page.count() for page in await many.load_many(plans.keys)] == [0, 1, 3, 7, 12]


async def test_a_page_in_the_middle_is_the_same_from_both_sides(plans: SimpleNamespace) -> None:
    whole = await loader_of(plans, TIME_LOG, PageArguments(100)).load(plans.keys[4])
    after = await loader_of(plans, TIME_LOG, PageArguments(4, whole.cursor(3))).load(plans.keys[4])
    before = await loader_of(plans, TIME_LOG, PageArguments(last=4, before=whole.cursor(8))).load(plans.keys[4])
    expected = [row.key for row in whole.nodes[4:8]]
    assert [row.key for row in after.nodes] == [row.key for row in before.nodes] == expected
    assert (
        (after.has_previous_page, after.has_next_page)
        == (before.has_previous_page, before.has_next_page)
        == (True, True)
    )
    assert [edge.cursor for edge in after.edges] == [edge.cursor for edge in before.edges]


async def test_the_cursor_of_a_deleted_row_keeps_its_position(plans: SimpleNamespace, database: Database) -> None:
    whole = await loader_of(plans, ACTIONS, PageArguments(100)).load(plans.keys[4])
    async with database.writing() as session:
        await session.execute(delete(Action).where(Action.id == whole.nodes[5].key))
    rest = await loader_of(plans, ACTIONS, PageArguments(100, whole.cursor(5))).load(plans.keys[4])
    first = await loader_of(plans, ACTIONS, PageArguments(last=100, before=whole.cursor(5))).load(plans.keys[4])
    assert [row.key for row in rest.nodes] == [row.key for row in whole.nodes[6:]]
    assert [row.key for row in first.nodes] == [row.key for row in whole.nodes[:5]]


async def test_totals_of_every_learner_are_one_statement_and_only_if_selected(plans: SimpleNamespace) -> None:
    count = [0]
    token = statement_count.set(count)
    loader = loader_of(plans, TIME_LOG, PageArguments(2), job_setting=JobSetting.ON_THE_JOB)
    pages = await loader.load_many(plans.keys)
    assert count == [1]
    counts = await asyncio.gather(*(page.count() for page in pages))
    sums = await asyncio.gather(*(page.total("minutes") for page in pages))
    statement_count.reset(token)
    assert count == [2]
    every = await loader_of(plans, TIME_LOG, PageArguments(100)).load_many(plans.keys)
    on = [[row.minutes for row in page.nodes if row.job_setting is JobSetting.ON_THE_JOB] for page in every]
    assert counts == [len(minutes) for minutes in on]
    assert sums == [sum(minutes) for minutes in on]


async def test_invalid_page_arguments_are_rejected(plans: SimpleNamespace) -> None:
    page = await loader_of(plans, TIME_LOG, PageArguments(1)).load(plans.keys[4])
    refused = {
        "first": [PageArguments(0), PageArguments(101), PageArguments(-1)],
        "after": [PageArguments(1, "x"), PageArguments(1, ""), PageArguments(1, "bnVsbA==")],
        "last": [PageArguments(last=0), PageArguments(last=101), PageArguments(1, last=1)],
        "before": [PageArguments(before="x"), PageArguments(last=1, before="")],
    }
    refused["last"] += [PageArguments(1, before=page.end_cursor), PageArguments(after=page.end_cursor, last=1)]
    for argument, pages in refused.items():
        for arguments in pages:
            with pytest.raises(BadArgument) as raised:
                loader_of(plans, TIME_LOG, arguments)
            assert raised.value.argument == argument
    with pytest.raises(BadArgument):
        loader_of(plans, SESSIONS, PageArguments(1, page.end_cursor))


def test_a_page_of_one_owner_is_read_by_its_key() -> None:
    statement = list_statements.page(
        EVIDENCE, "learner", Role.ASSESSOR, frozenset(), None, (False, False), True
    ).build()
    sql = " ".join(str(statement).split())
    # Also in the count.
    assert sql.count("evidence.learner_id = :owner_key") == 2
    assert "LIMIT" in sql
    assert "row_number" not in sql
