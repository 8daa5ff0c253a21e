"""A change is read by the streams that it concerns, once for those with one scope, whatever the number of streams."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from auth.tokens import AccessClaims
from db.models.auth_session import AuthSession
from domain import clock
from domain import global_id as ids
from domain.enums import PortfolioPart, Role
from loaders.aggregates import GroupBy, Metric, _statement
from resolvers import subscriptions
from resolvers.core.context import Context
from services.change_feed.changes import Changes
from services.change_feed.shared_reads import Shared, Together
from tests.support.factories import Factory
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

# Each of them has so many streams.
STREAMS = 12
LEARNERS = frozenset({Metric.LEARNERS, Metric.ACTIONS})


async def signed_in(scenario: EmptyPortfolio, who: str) -> Context:
    """The context of a stream, with an authentication session."""
    context, now = scenario.context(who), clock.now()
    viewer = context.viewer_or_raise()
    session = AuthSession(
        provider_id=viewer.provider_key, user_id=viewer.user_key, role=viewer.role, started_at=now,
        expires_at=now + dt.timedelta(hours=1),
    )  # fmt: skip
    await scenario.add(session)
    context.claims = AccessClaims(viewer.user_key, viewer.role, session.id, now + dt.timedelta(hours=1))
    return context


@asynccontextmanager
async def streams(scenario: EmptyPortfolio, *people: str) -> AsyncIterator[dict[str, list[Any]]]:
    """Opens `STREAMS` streams of KPIs for each person; yields the messages by person."""
    received: dict[str, list[Any]] = {who: [] for who in people}

    async def listen(who: str, context: Context) -> None:
        async for kpis in subscriptions.kpis_changed(context, LEARNERS):
            received[who].append(kpis.values)

    contexts = [(who, await signed_in(scenario, who)) for who in people for _ in range(STREAMS)]
    tasks = [asyncio.create_task(listen(*each)) for each in contexts]
    async with asyncio.timeout(20):
        while not all(len(each) == STREAMS for each in received.values()):
            await asyncio.sleep(0.01)
    yield received
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def reads(scenario: EmptyPortfolio) -> AsyncIterator[list[str]]:
    """The SQL of the reads of a block."""
    sent: list[str] = []

    def record(sql: str, *_: Any) -> None:
        # Of a write on PostgreSQL its own statements are heard too.
        if not sql.startswith("INSERT"):
            sent.append(sql)

    scenario.database.read_listeners.append(record)
    yield sent
    scenario.database.read_listeners.remove(record)


async def set_action(scenario: EmptyPortfolio, who: str) -> None:
    """Sets a learner an action, and notifies the streams as the notification of its commit does."""
    async with scenario.database.writing() as session:
        await Factory(session).action(scenario.people[who][2], scenario.user("assessor"))  # type: ignore[arg-type]
    changes = Changes({scenario.people[who][2].id: frozenset({PortfolioPart.ACTION})})  # type: ignore[union-attr]
    scenario.services.changes._deliver(scenario.user("master").provider_id, changes)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_change_costs_a_statement_for_each_scope_that_it_concerns(empty_portfolio: EmptyPortfolio) -> None:
    scenario, quiet = empty_portfolio, ("colleague", "cy", "other_assessor")
    async with streams(scenario, "manager", "master", "basic", *quiet) as received, reads(scenario) as sent:
        await set_action(scenario, "learner")
        await until(lambda: all(len(received[who]) == 2 * STREAMS for who in ("manager", "master", "basic")))
        await asyncio.sleep(0.1)
        # Whom it concerns; who is signed in, of the admins and of the others; the numbers of each scope.
        # `other_assessor` has another aim of hers.
        assert len(sent) == 1 + 2 + 4
        assert {who: len(received[who]) for who in ("colleague", "cy")} == {"colleague": STREAMS, "cy": STREAMS}


async def test_a_change_that_concerns_no_stream_costs_one_statement(empty_portfolio: EmptyPortfolio) -> None:
    scenario = empty_portfolio
    async with streams(scenario, "manager", "assessor", "learner") as received, reads(scenario) as sent:
        await set_action(scenario, "cy")
        await asyncio.sleep(subscriptions.COLLECT_SECONDS + 0.3)
        assert len(sent) == 1
        assert all(len(each) == STREAMS for each in received.values())


async def test_who_no_longer_sees_a_learner_gets_the_new_numbers(empty_portfolio: EmptyPortfolio) -> None:
    scenario = empty_portfolio
    # The notification of the commit itself, which PostgreSQL carries.
    async with scenario.services.changes.listening(), streams(scenario, "manager") as received:
        await until(scenario.services.changes.is_listening)
        arguments = {"userId": ids.encode("User", scenario.user("manager").id), "learnerIds": [scenario.ada]}
        await scenario.client("master").mutate("employerManagerDeallocate", **arguments)
        await until(lambda: len(received["manager"]) == 2 * STREAMS)
    assert [each["learners"] for each in received["manager"]] == [1] * STREAMS + [0] * STREAMS


async def test_a_stream_ends_with_its_login_while_others_go_on(empty_portfolio: EmptyPortfolio) -> None:
    scenario = empty_portfolio
    one, other = await signed_in(scenario, "manager"), await signed_in(scenario, "manager")
    async with scenario.database.writing() as session:
        ended = await session.get_one(AuthSession, one.claims.auth_session_key)  # type: ignore[union-attr]
        ended.ended_at = clock.now()
    assert await asyncio.gather(one.still_signed_in(), other.still_signed_in()) == [False, True]


def test_the_numbers_of_admins_depend_on_their_provider_alone() -> None:
    for role in (Role.BASIC_ADMIN, Role.MASTER_ADMIN):
        statement = _statement(role, GroupBy.VIEWER, frozenset(Metric)).build()
        assert "viewer_user" not in statement.compile().params
    assert "viewer_user" in _statement(Role.ASSESSOR, GroupBy.VIEWER, frozenset(Metric)).build().compile().params


async def test_a_reading_that_has_begun_is_not_shared() -> None:
    shared, began, may_end, count = Shared(1), asyncio.Event(), asyncio.Event(), 0

    async def read() -> int:
        nonlocal count
        count += 1
        number = count
        began.set()
        await may_end.wait()
        return number

    first = [asyncio.create_task(shared.get("key", read)) for _ in range(3)]
    await began.wait()
    # It may not see what these ask for.
    later = [asyncio.create_task(shared.get("key", read)) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert count == 1
    may_end.set()
    assert (await asyncio.gather(*first), await asyncio.gather(*later)) == ([1] * 3, [2] * 3)


async def test_who_waits_for_a_reading_gets_its_error_and_may_leave() -> None:
    async def fail(keys: set[int]) -> dict[int, int]:
        raise ValueError(len(keys))

    together: Together[int, int] = Together(fail)
    waiting = [asyncio.create_task(together.get(key)) for key in range(4)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert [str(each) for each in found[1:]] == ["4"] * 3
