"""What subscribers are sent: read afresh as the viewer sees it at that moment, a burst of changes as one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TypeVar

from domain import global_id as ids
from domain.errors import BadArgument
from loaders.core.paged_list import read_page
from loaders.core.pagination import MAX_PAGE_SIZE, PageArguments
from loaders.kpis import ALL_METRICS, KpisLoader, KpisRow, Metrics
from loaders.learner import LEARNERS, LearnerLoader, LearnerRow
from resolvers.core.context import Context
from services.change_feed import Subscriber

T = TypeVar("T")

# A burst is gathered for so long, in seconds, before it is sent as one.
GATHER = 0.15
# Numbers move with the day too (a planned end passes, a week begins): looked at again after so many seconds.
LOOK_AGAIN = 60.0


async def at_most(take: int | None, values: AsyncIterator[T]) -> AsyncIterator[T]:
    """The values, no more than `take` of them. Raises BadArgument for less than one."""
    if take is not None and take < 1:
        raise BadArgument("take", "Ask for one message at least, or leave it out.")
    async with aclosing(values):  # type: ignore[type-var]
        sent = 0
        async for value in values:
            yield value
            sent += 1
            if sent == take:
                return


async def kpis_changed(context: Context, metrics: Metrics) -> AsyncIterator[KpisRow]:
    """The viewer's KPIs now, then each time a number of the parts asked for is another; of any part where none is."""
    viewer = context.require_active_viewer()
    metrics = metrics or ALL_METRICS
    async with context.services.changes.subscriber(viewer.provider_key) as subscriber:
        last: KpisRow | None = None
        while True:
            context.invalidate_loaders()
            kpis = await context.loaders[KpisLoader].load(metrics)
            if last is None or kpis.values != last.values:
                last = kpis
                yield kpis
            await _next(subscriber, LOOK_AGAIN)
            # With the viewer come the provider's settings, on which the numbers hang.
            if not await context.still_signed_in():
                return


async def learners_changed(context: Context, id: str | None) -> AsyncIterator[LearnerRow]:
    """Each learner that changed, if the viewer sees them at that moment; only the one with that id, where one is given."""
    viewer = context.require_active_viewer()
    wanted = ids.decode("Learner", id) if id is not None else None
    async with context.services.changes.subscriber(viewer.provider_key) as subscriber:
        while True:
            changed = await _next(subscriber, None)
            if not await context.still_signed_in():
                return
            context.invalidate_loaders()
            if id is not None:
                if wanted is not None and (changed is None or wanted in changed):
                    learner = await context.loaders[LearnerLoader].load(wanted)
                    if learner is not None:
                        yield learner
            elif changed is None:
                async for learner in _everyone(context):
                    yield learner
            else:
                for learner in await context.loaders[LearnerLoader].load_many(sorted(changed)):
                    if learner is not None:
                        yield learner


async def _next(subscriber: Subscriber, longest: float | None) -> set[int] | None:
    """Who changed, a burst gathered; an empty set where nobody did for `longest` seconds."""
    try:
        async with asyncio.timeout(longest):
            await subscriber.wait()
    except TimeoutError:
        return set()
    await asyncio.sleep(GATHER)
    return subscriber.take()


async def _everyone(context: Context) -> AsyncIterator[LearnerRow]:
    """So much changed that it was not kept who: everyone that the viewer sees, a page at a time."""
    after = None
    while True:
        page = await read_page(context.loaders.reading, LEARNERS, PageArguments(MAX_PAGE_SIZE, after), {})
        for learner in page.nodes:
            yield learner
        if not page.has_next_page:
            return
        after = page.end_cursor
