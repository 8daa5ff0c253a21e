"""Subscriptions: rows are read again for each message, and changes that come together are one message."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from db.outages import through_outages
from domain import global_id
from domain.errors import BadArgument
from loaders.core.paged_list import read_page
from loaders.core.pagination import MAX_PAGE_SIZE, Page, PageArguments
from loaders.kpis import ALL_METRICS, KpisLoader, KpisRow, Metrics
from loaders.learner import LEARNERS, LearnerLoader, LearnerRow
from resolvers.core.context import Context
from services.change_feed import Subscriber

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
    viewer = context.require_active_viewer()
    metrics = metrics or ALL_METRICS
    async with context.services.changes.subscriber(viewer.provider_key) as subscriber:
        last: KpisRow | None = None
        while True:
            kpis = await _read(context, lambda: context.loaders[KpisLoader].load(metrics))
            if last is None or kpis.values != last.values:
                last = kpis
                yield kpis
            await _next_changes(subscriber, POLL_SECONDS)
            # This reads the provider's settings too, on which the numbers depend.
            if not await through_outages(context.still_signed_in):
                return


async def learners_changed(context: Context, id: str | None) -> AsyncGenerator[LearnerRow, None]:
    """Yields each learner that changed and that the viewer sees at that moment; with `id`, that learner only."""
    viewer = context.require_active_viewer()
    selected = global_id.decode("Learner", id) if id is not None else None
    async with context.services.changes.subscriber(viewer.provider_key) as subscriber:
        while True:
            changed = await _next_changes(subscriber, None)
            if not await through_outages(context.still_signed_in):
                return
            if id is not None:
                if selected is not None and (changed is None or selected in changed):
                    learner = await _read(context, lambda: context.loaders[LearnerLoader].load(selected))
                    if learner is not None:
                        yield learner
            elif changed is None:
                async for learner in _visible_learners(context):
                    yield learner
            else:
                for learner in await _read(context, partial(_load_learners, context, sorted(changed))):
                    if learner is not None:
                        yield learner


async def _next_changes(subscriber: Subscriber, wait_seconds: float | None) -> set[int] | None:
    """Returns the learners that changed, once some have; None for any of them, an empty set after that many seconds."""
    try:
        async with asyncio.timeout(wait_seconds):
            await subscriber.wait()
    except TimeoutError:
        return set()
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
