"""Subscriptions: rows are read again for each message, and changes that come together are one message."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from db.outages import through_outages
from domain import clock, global_id
from domain.enums import PortfolioPart
from domain.errors import BadArgument
from loaders.core.paged_list import read_page
from loaders.core.pagination import MAX_PAGE_SIZE, Page, PageArguments
from loaders.kpis import ALL_METRICS, KpisLoader, KpisRow, Metrics
from loaders.learner import LEARNERS, LearnerLoader, LearnerRow
from loaders.task import TaskCountRow, task_counts
from resolvers.core.context import Context
from services.change_feed.changes import ALL_PARTS, Changes
from services.change_feed.feed import Subscriber

T = TypeVar("T")

# Seconds in which further changes are collected into one message.
COLLECT_SECONDS = 0.15
# Seconds after which KPIs are read again without a change, because they depend on the day too (a planned end passes).
POLL_SECONDS = 60.0


async def at_most(take: int | None, values: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yields the values, at most `take` of them. Raises BadArgument for less than one."""
    if take is not None and take < 1:
        raise BadArgument("take", "Give a number of messages of at least 1, or leave it out.")
    async with aclosing(values):
        sent = 0
        async for value in values:
            yield value
            sent += 1
            if sent == take:
                return


async def kpis_changed(context: Context, metrics: Metrics) -> AsyncGenerator[KpisRow, None]:
    """Yields the viewer's KPIs now and after each change of one of `metrics`, or of any where `metrics` is empty."""

    def read() -> Awaitable[KpisRow]:
        return context.loaders[KpisLoader].load(metrics or ALL_METRICS)

    of = ("kpis", metrics)
    async for kpis in _each_time_changed(context, read, attrgetter("values"), of, by_user=False):
        yield kpis


async def tasks_changed(context: Context) -> AsyncGenerator[list[TaskCountRow], None]:
    """Yields the numbers of the viewer's tasks now and after each change of one of them."""
    async for counts in _each_time_changed(context, lambda: task_counts(context.loaders.reading), list, "tasks"):
        yield counts


async def _each_time_changed(
    context: Context,
    read: Callable[[], Awaitable[T]],
    compared: Callable[[T], Any],
    of: Hashable,
    by_user: bool = True,
) -> AsyncGenerator[T, None]:
    """Yields what `read` returns now, and again each time that `compared` of it differs.

    Viewers with one scope share what is read: `of` and `by_user` as in `LiveReadings.shared`.
    """
    viewer, live = context.require_active_viewer(), context.services.changes.live

    def read_fresh() -> Awaitable[T]:
        context.invalidate_loaders()
        return read()

    async with context.services.changes.subscriber(viewer.provider_key) as subscriber:
        last: Any = None
        while True:
            shared = partial(live.shared, context.viewer_or_raise(), of, read_fresh, by_user)
            value = await through_outages(shared)
            if last is None or compared(value) != last:
                last = compared(value)
                yield value
            # This reads the provider's settings too, on which the numbers depend.
            if await _concerning(context, subscriber, POLL_SECONDS) is None:
                return


async def learners_changed(context: Context, id: str | None) -> AsyncGenerator[LearnerRow, None]:
    """Yields each learner that changed and that the viewer sees at that moment; with `id`, that learner only."""
    viewer = context.require_active_viewer()
    async with context.services.changes.subscriber(viewer.provider_key) as subscriber:
        while True:
            changes = await _concerning(context, subscriber)
            if changes is None:
                return
            keys = None if changes.any_learner or changes.everything else set(changes.learners)
            async for learner in _visible(context, id, keys):
                yield learner


@dataclass(frozen=True, slots=True)
class PortfolioChangeRow:
    """The parts of one learner's portfolio that changed, noticed `at` a moment."""

    learner: LearnerRow
    parts: list[PortfolioPart]
    at: dt.datetime


async def portfolio_changed(context: Context, id: str | None) -> AsyncGenerator[PortfolioChangeRow, None]:
    """Yields which parts of a portfolio changed, for each learner as `learners_changed` does.

    Where it is not known what changed, after an outage say, it names every part of every learner whom the viewer sees.
    """
    viewer = context.require_active_viewer()
    async with context.services.changes.subscriber(viewer.provider_key) as subscriber:
        while True:
            changes = await _concerning(context, subscriber)
            if changes is None:
                return
            async for learner in _visible(context, id, None if changes.everything else set(changes.learners)):
                changed = changes.learners.get(learner.key, ALL_PARTS)
                yield PortfolioChangeRow(learner, [part for part in PortfolioPart if part in changed], clock.now())


async def _visible(context: Context, id: str | None, keys: set[int] | None) -> AsyncGenerator[LearnerRow, None]:
    """Yields the learners of `keys`, or all if it is None, whom the viewer sees; with `id`, that learner only."""
    if id is not None:
        selected = global_id.decode("Learner", id)
        keys = {selected} if selected is not None and (keys is None or selected in keys) else set()
    if keys is None:
        async for learner in _visible_learners(context):
            yield learner
    elif keys:
        for found in await _read(context, partial(_load_learners, context, sorted(keys))):
            if found is not None:
                yield found


async def _concerning(context: Context, subscriber: Subscriber, wait_seconds: float | None = None) -> Changes | None:
    """Returns what changed, once something has that concerns the viewer; no changes after that many seconds.

    None if the viewer is no longer signed in. A change of learners whom the viewer does not see is passed over
    without reading the viewer.
    """
    viewer, live = context.viewer_or_raise(), context.services.changes.live
    until = None if wait_seconds is None else time.monotonic() + wait_seconds
    while True:
        changes = await _next_changes(subscriber, None if until is None else max(until - time.monotonic(), 0.0))
        if changes.learners and not (changes.any_learner or changes.everything or changes.moved):
            if context.has_expired:
                return None
            if not await through_outages(partial(live.sees_any, viewer, frozenset(changes.learners))):
                continue
        return changes if await through_outages(context.still_signed_in) else None


async def _next_changes(subscriber: Subscriber, wait_seconds: float | None) -> Changes:
    """Returns what changed, once something has; no changes after that many seconds."""
    try:
        async with asyncio.timeout(wait_seconds):
            await subscriber.wait()
    except TimeoutError:
        return Changes({})
    await asyncio.sleep(COLLECT_SECONDS)
    return subscriber.take()


async def _read(context: Context, read: Callable[[], Awaitable[T]]) -> T:
    """Reads again, past what was read before; during an outage of the database, waits for its end."""

    def read_again() -> Awaitable[T]:
        context.invalidate_loaders()
        return read()

    return await through_outages(read_again)


async def _load_learners(context: Context, keys: list[int]) -> list[LearnerRow | None]:
    return await context.loaders[LearnerLoader].load_many(keys)


async def _load_page(context: Context, arguments: PageArguments) -> Page[LearnerRow]:
    return await read_page(context.loaders.reading, LEARNERS, arguments, {})


async def _visible_learners(context: Context) -> AsyncGenerator[LearnerRow, None]:
    """Yields every learner that the viewer sees, read in pages: for changes that do not say which learners changed."""
    after = None
    while True:
        page = await _read(context, partial(_load_page, context, PageArguments(MAX_PAGE_SIZE, after)))
        for learner in page.nodes:
            yield learner
        if not page.has_next_page:
            return
        after = page.end_cursor
